import { RunnerError } from '../../errors/runner-error.js';
import type { FileCarrier } from '../../execution/execute.js';
import { sleep } from '../../util/clock.js';
import { readWhole } from '../../util/read-whole.js';
import { sayThrown } from '../../util/safe-json.js';
import type { Plane } from './plane.js';

/** How often it is looked whether the link is up again. */
const LOOK_MS = 1_000;

const refused = (name: string, why: string, options?: ErrorOptions): RunnerError =>
  new RunnerError('ARTIFACT_REFUSED', `the artifact ${name} was not left: ${why}`, options);

async function untilUp(link: Link, signal: AbortSignal): Promise<void> {
  while (!link.isUp()) {
    await sleep(link.plane.clock, LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

interface Link {
  readonly plane: Plane;
  readonly isUp: () => boolean;
}

/** Carries files to the jobs of an in-memory host, beside its messages: faults do not hit them, a cut link does. */
export function createKeptFiles(link: Link): FileCarrier {
  const { plane } = link;
  return {
    async *open({ executionId }, { sha256 }, signal) {
      await untilUp(link, signal);
      const content = plane.attempts.get(executionId)?.job.brought.contentOf(sha256);
      if (content === undefined)
        throw new RunnerError(
          'FILE_MISSING',
          `the job of ${executionId} has no file with the SHA-256 ${sha256}`,
        );
      yield content;
    },
    async put({ jobId, executionId, leaseToken }, file, signal) {
      const { name, contentType } = file;
      if (!link.isUp() && !file.isRepeatable)
        throw refused(name, 'the link is cut, and a stream cannot be sent again');
      await untilUp(link, signal);
      const { content, ...size } = await readWhole(file.read()).catch((cause: unknown) => {
        throw refused(name, `it could not be read: ${sayThrown(cause)}`, { cause });
      });
      const attempt = plane.attempts.get(executionId);
      if (attempt?.phase !== 'running' || attempt.leaseToken !== leaseToken)
        throw refused(
          name,
          'LEASE_SUPERSEDED: the execution is not, or no longer, the current one of its job',
        );
      const createdAt = new Date(plane.clock.now()).toISOString();
      const artifact = { name, jobId, executionId, contentType, createdAt, ...size };
      attempt.job.artifacts.set(name, { ...artifact, content });
      return artifact;
    },
  };
}
