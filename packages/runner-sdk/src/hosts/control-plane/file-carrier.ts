import { createHash } from 'node:crypto';
import type { FileReference, Limits } from '@controlplane/contracts';
import { RunnerError } from '../../errors/runner-error.js';
import type { ExecutionRequest, FileCarrier, LeftFile, ResultRoom } from '../../execution/execute.js';
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

/** What a file is sent by. */
type Send<Kept> = (
  sent: Pick<LeftFile, 'name' | 'contentType'> & {
    readonly executionId: string;
    readonly leaseToken: string;
    readonly body: AsyncIterable<Uint8Array>;
  },
  signal: AbortSignal,
) => Promise<Answer<Kept>>;

interface Sending<Kept> {
  readonly request: ExecutionRequest;
  readonly file: LeftFile;
  readonly signal: AbortSignal;
  readonly send: Send<Kept>;
}

/** Sends a file once. */
async function sendOnce<Kept extends FileReference>(
  { leaseTokenOf }: FileCarrierOptions,
  { request, file, signal, send }: Sending<Kept>,
): Promise<Answer<Kept>> {
  const leaseToken = leaseTokenOf(request);
  if (leaseToken === undefined) throw refused(file, 'the execution has no lease to leave it by');
  const { executionId } = request;
  const { name, contentType } = file;
  const reading = watch(file);
  const answer = await send({ executionId, leaseToken, name, contentType, body: reading.body() }, signal);
  signal.throwIfAborted();
  if (reading.failure) {
    const { cause } = reading.failure;
    throw refused(file, `it could not be read: ${sayThrown(cause)}`, { cause });
  }
  if (!answer.ok || answer.value.sha256 === reading.sha256()) return answer;
  return notReached('UNREADABLE', 'it arrived as something else than it was sent');
}

/** Sends a file until it is taken, or refused for good. */
async function carry<Kept extends FileReference>(
  options: FileCarrierOptions,
  sending: Sending<Kept>,
): Promise<Kept> {
  const { runner } = options;
  const { request, file, signal } = sending;
  for (let attempt = 0; ; attempt++) {
    const answer = await sendOnce(options, sending);
    if (answer.ok) return answer.value;
    const { code, message, retryAfterMs = 0 } = answer;
    if (code === 'LEASE_SUPERSEDED' || code === 'EXECUTION_NOT_FOUND') {
      runner.cancel(request.executionId, 'lease-lost', request.leaseToken);
      signal.throwIfAborted();
    }
    if (!mayHelp(answer)) throw refused(file, `${code}: ${message}`);
    if (!file.isRepeatable)
      throw refused(file, `${message} A stream cannot be sent again; leave a path or bytes instead.`);
    const waitMs = Math.max(backoffMs(attempt, FILE_BACKOFF, runner.random()), retryAfterMs);
    await sleep(runner.clock, waitMs, signal);
    signal.throwIfAborted();
  }
}

const asFile = (json: string): LeftFile => ({
  name: 'result',
  contentType: 'application/json',
  isRepeatable: true,
  async *read() {
    yield Buffer.from(json);
  },
});

/** Where results go, once the control plane has said how large they may be. */
function resultsOf(options: FileCarrierOptions): NonNullable<FileCarrier['results']> {
  const { client, limits } = options;
  let known: { readonly from: Limits; readonly room: ResultRoom | undefined } | undefined;
  return () => {
    const told = limits();
    if (told === undefined) return undefined;
    if (known?.from === told) return known.room;
    const { maxInlineBytes, maxPayloadBytes: maxBytes } = told;
    const put: ResultRoom['put'] = (request, json, signal) =>
      carry(options, { request, file: asFile(json), signal, send: client.putResult });
    const isServed = maxInlineBytes !== undefined && maxBytes !== undefined;
    known = { from: told, room: isServed ? { maxInlineBytes, maxBytes, put } : undefined };
    return known.room;
  };
}

/** Refuses what the control plane would refuse, before a byte of it is sent. */
function checkSize({ limits }: FileCarrierOptions, file: LeftFile): void {
  const { maxArtifactBytes } = limits() ?? {};
  if (maxArtifactBytes === undefined || file.bytes === undefined || file.bytes <= maxArtifactBytes) return;
  throw refused(
    file,
    `PAYLOAD_TOO_LARGE: The artifact ${file.name} is larger than the limit of ${maxArtifactBytes} bytes: it has ${file.bytes}`,
  );
}

/** Makes the carrier of the files of executions that one control plane has sent. */
export function createFileCarrier(options: FileCarrierOptions): FileCarrier {
  return {
    open: createFileOpener(options),
    results: resultsOf(options),
    async put(request, file, signal) {
      checkSize(options, file);
      return carry(options, { request, file, signal, send: options.client.putArtifact });
    },
  };
}
