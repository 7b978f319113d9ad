import type { FileReference, Limits } from '@controlplane/contracts';
import { RunnerError } from '../../errors/runner-error.js';
import type { ExecutionRequest, FileCarrier } from '../../execution/execute.js';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import type { HostedRunner } from '../host.js';
import type { ControlPlaneClient } from './client.js';
import { FILE_BACKOFF, mayHelp } from './file-retries.js';

/** What a file carrier stands on. */
export interface FileCarrierOptions {
  readonly runner: HostedRunner;
  readonly client: Pick<ControlPlaneClient, 'putArtifact' | 'putResult' | 'getFile'>;
  /** What the registration was answered with; undefined before. */
  readonly limits: () => Limits | undefined;
  /** The lease that an execution has now. */
  readonly leaseTokenOf: (request: ExecutionRequest) => string | undefined;
}

/** What is left of pieces after their first bytes. */
async function* without(body: AsyncIterable<Uint8Array>, skipped: number): AsyncGenerator<Uint8Array> {
  let left = skipped;
  for await (const piece of body) {
    if (piece.byteLength > left) yield left === 0 ? piece : piece.subarray(left);
    left = Math.max(0, left - piece.byteLength);
  }
}

const missing = (why: string, options?: ErrorOptions): RunnerError =>
  new RunnerError('FILE_MISSING', `the file cannot be had: ${why}`, options);

/** One answer to the question for a file: its body, or why there is none yet. */
async function ask(
  { runner, client, leaseTokenOf }: FileCarrierOptions,
  { request, file, signal }: Opening,
): Promise<AsyncIterable<Uint8Array> | { readonly retryAfterMs: number }> {
  const leaseToken = leaseTokenOf(request);
  if (leaseToken === undefined) throw missing('the execution has no lease to read it by');
  const { executionId } = request;
  const answer = await client.getFile({ sha256: file.sha256, executionId, leaseToken }, signal);
  signal.throwIfAborted();
  if (answer.ok) return answer.value;
  const { code, message, retryAfterMs = 0 } = answer;
  if (code === 'LEASE_SUPERSEDED' || code === 'EXECUTION_NOT_FOUND') {
    runner.cancel(executionId, 'lease-lost', request.leaseToken);
    signal.throwIfAborted();
  }
  if (mayHelp(answer)) return { retryAfterMs };
  throw missing(`${code}: ${message}`);
}

interface Opening {
  readonly request: ExecutionRequest;
  readonly file: FileReference;
  readonly signal: AbortSignal;
}

/** Reads a file of a job; where the connection breaks, the file is asked for again and goes on where it was. */
export function createFileOpener(options: FileCarrierOptions): NonNullable<FileCarrier['open']> {
  const { clock, random } = options.runner;
  return async function* (request, file, signal) {
    let given = 0;
    for (let attempt = 0; ; attempt++) {
      const answer = await ask(options, { request, file, signal });
      if (Symbol.asyncIterator in answer) {
        try {
          for await (const piece of without(answer, given)) {
            given += piece.byteLength;
            attempt = 0;
            yield piece;
          }
          if (given >= file.bytes) return;
        } catch {
          // Where it broke because the execution is told to stop, that is the reason; else it is asked for again.
          signal.throwIfAborted();
        }
      }
      const retryAfterMs = 'retryAfterMs' in answer ? answer.retryAfterMs : 0;
      await sleep(clock, Math.max(backoffMs(attempt, FILE_BACKOFF, random()), retryAfterMs), signal);
      signal.throwIfAborted();
    }
  };
}
