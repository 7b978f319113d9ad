/**
 * @module
 * How a runner leaves: what came of the work that it had when it was told to stop. Imports harness, case and the
 * contract; cases and the command `contract-test drain` stand on it.
 */
import { z } from 'zod';

/** What came of the executions of a runner that was told to stop while it worked. */
export const DrainCertificate = z.object({
  schemaVersion: z.literal('1.0'),
  capability: z.string(),
  /** Executions that ran when SIGTERM was sent. */
  offered: z.number().int().nonnegative(),
  /** Of these: answered with the outcome of their work. */
  finished: z.number().int().nonnegative(),
  /** Of these: given back with a retryable error, such as RUNNER_SHUTDOWN. */
  handedBack: z.number().int().nonnegative(),
  /** Of these: not answered, or answered with an error that is for good. */
  lost: z.number().int().nonnegative(),
  /** Of these: answered with more than one outcome. */
  duplicated: z.number().int().nonnegative(),
  /** Of these: answered more than five seconds after their work was due. */
  late: z.number().int().nonnegative(),
  /** Executions that were offered after SIGTERM and taken, and those that were refused. */
  takenAfter: z.number().int().nonnegative(),
  refusedAfter: z.number().int().nonnegative(),
  /** Milliseconds from SIGTERM to the end of the process; absent where it did not end in time. */
  timeToDrainMs: z.number().nonnegative().optional(),
  /** Absent where a signal ended it, or nothing did. */
  exitCode: z.number().int().optional(),
  /** Whether the runner has ended and nothing was lost, duplicated or late. */
  ok: z.boolean(),
});
export type DrainCertificate = z.infer<typeof DrainCertificate>;

/** A certificate in one line. */
export function showDrain(certificate: DrainCertificate): string {
  const { offered, finished, handedBack, lost, duplicated, late, timeToDrainMs, exitCode } = certificate;
  const end =
    timeToDrainMs === undefined
      ? 'not ended'
      : `ended after ${Math.round(timeToDrainMs)} ms${exitCode === undefined ? ', by a signal' : ` with code ${exitCode}`}`;
  return `${offered} offered: ${finished} finished, ${handedBack} handed back, ${lost} lost, ${duplicated} duplicated, ${late} late; ${end}`;
}

/** A certificate as a person reads it. */
export function renderDrain(certificate: DrainCertificate): string {
  const { capability, refusedAfter, takenAfter, ok } = certificate;
  return `drain certificate   ${capability}

  ${showDrain(certificate)}
  offered after SIGTERM: ${refusedAfter} refused, ${takenAfter} taken

  ${ok ? 'nothing lost' : 'not certified: a runner that is told to stop finishes what it has, or hands it back, once and in time'}
`;
}
