import { createHash } from 'node:crypto';
import type { Artifact } from '@controlplane/contracts';
import { RunnerError } from '../../errors/runner-error.js';
import type { ExecutionRequest, FileCarrier, LeftFile } from '../../execution/execute.js';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import { sayThrown } from '../../util/safe-json.js';
import { createFileOpener, type FileCarrierOptions } from './file-opener.js';
import { FILE_BACKOFF, mayHelp } from './file-retries.js';
import { notReached, type Answer } from '../refusals.js';

/** One reading of a file: its hash as far as it was read, and why it could not be. */
function watch(file: LeftFile) {
  const hash = createHash('sha256');
  const reading = {
    failure: undefined as { readonly cause: unknown } | undefined,
    sha256: () => hash.digest('hex'),
    async *body(): AsyncGenerator<Uint8Array> {
      try {
        for await (const piece of file.read()) {
          hash.update(piece);
          yield piece;
        }
      } catch (cause) {
        reading.failure = { cause };
        throw cause;
      }
    },
  };
  return reading;
}

const refused = (file: LeftFile, why: string, options?: ErrorOptions): RunnerError =>
  new RunnerError('ARTIFACT_REFUSED', `the artifact ${file.name} was not left: ${why}`, options);

/** Makes the carrier of the files of executions that one control plane has sent. */
export function createFileCarrier(options: FileCarrierOptions): FileCarrier {
  const { runner, client, leaseTokenOf } = options;
  const { clock, random } = runner;

  async function send(
    request: ExecutionRequest,
    file: LeftFile,
    signal: AbortSignal,
  ): Promise<Answer<Artifact>> {
    const leaseToken = leaseTokenOf(request);
    if (leaseToken === undefined) throw refused(file, 'the execution has no lease to leave it by');
    const { executionId } = request;
    const { name, contentType } = file;
    const reading = watch(file);
    const sent = { executionId, leaseToken, name, contentType, body: reading.body() };
    const answer = await client.putArtifact(sent, signal);
    signal.throwIfAborted();
    if (reading.failure) {
      const { cause } = reading.failure;
      throw refused(file, `it could not be read: ${sayThrown(cause)}`, { cause });
    }
    if (!answer.ok || answer.value.sha256 === reading.sha256()) return answer;
    return notReached('UNREADABLE', 'it arrived as something else than it was sent');
  }

  return {
    open: createFileOpener(options),
    async put(request, file, signal) {
      for (let attempt = 0; ; attempt++) {
        const answer = await send(request, file, signal);
        if (answer.ok) return answer.value;
        const { code, message, retryAfterMs = 0 } = answer;
        if (code === 'LEASE_SUPERSEDED' || code === 'EXECUTION_NOT_FOUND') {
          runner.cancel(request.executionId, 'lease-lost', request.leaseToken);
          signal.throwIfAborted();
        }
        if (!mayHelp(answer)) throw refused(file, `${code}: ${message}`);
        if (!file.isRepeatable)
          throw refused(file, `${message} A stream cannot be sent again; leave a path or bytes instead.`);
        await sleep(clock, Math.max(backoffMs(attempt, FILE_BACKOFF, random()), retryAfterMs), signal);
        signal.throwIfAborted();
      }
    },
  };
}
