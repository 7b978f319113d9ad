import { DEFAULTS, isTerminalEvent, type ExecutionEvent } from '@controlplane/contracts';
import type { JudgedRunner } from '../case/case.js';
import { within } from '../case/wait.js';
import { NoAnswer } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import { newExecution, type ExecutionExchange } from '../harness/runner-client.js';
import type { DrainCertificate } from './drain-certificate.js';

/** Executions that run when the signal comes, at most. */
const MOST = 8;
/** How long the first one works; each one more works this much longer than the one before. */
const WORK_MS = 1_200;
const STEP_MS = 100;
/** How late an answer may be. */
const LATE_MS = 5_000;
/** Given to a runner to begin with what it was sent. */
const BEGUN_MS = 500;
const OFFER_EVERY_MS = 200;
/** After the end of its process: what it has sent may still be on its way, and what it has not will never come. */
const LAST_WORDS_MS = 2_000;

export interface DrainOptions {
  /** A capability whose input says how long it works, in `ms`; or any, with `input`. */
  readonly capabilityId: string;
  /** Default: `{ ms }`. */
  readonly input?: Readonly<Record<string, unknown>> | undefined;
  readonly signal: AbortSignal;
}

interface Settled {
  readonly executionId: string;
  readonly exchange: ExecutionExchange | undefined;
  readonly lateMs: number;
}

type Fate = 'finished' | 'handedBack' | 'lost';

const noAnswer = (error: unknown): undefined => {
  if (error instanceof NoAnswer) return undefined;
  throw error;
};

function fateOf({ exchange }: Settled): Fate {
  const end = exchange?.events.map(({ event }) => event).find(isTerminalEvent);
  const isFinished = end ? end.type === 'succeeded' : exchange?.reply?.success === true;
  if (isFinished) return 'finished';
  const error = end?.type === 'failed' ? end.error : exchange?.reply?.error;
  return error?.retryable === true ? 'handedBack' : 'lost';
}

/** Told of two ends: in one stream, or over its link until the process was gone. */
function isDuplicated({ exchange, executionId }: Settled, { controlPlane }: JudgedRunner): boolean {
  const streamed = exchange?.events ?? [];
  const told = controlPlane?.dialIn.book.offered.get(executionId)?.told ?? [];
  const ends = (events: readonly { readonly event: ExecutionEvent }[]) =>
    events.map(({ event }) => event).filter(isTerminalEvent);
  return ends(streamed).length > 1 || new Set(ends(told).map(({ seq, type }) => `${seq} ${type}`)).size > 1;
}

/** Sends the executions that will run when the signal comes. */
function offer(
  runner: JudgedRunner,
  { capabilityId, input }: DrainOptions,
  gone: Promise<undefined>,
): readonly Promise<Settled>[] {
  const capability = runner.description.capabilities.find(({ id }) => id === capabilityId);
  const slots = Math.min(MOST, capability?.maxConcurrency ?? 1, runner.description.maxConcurrency ?? MOST);
  const isStreamed = runner.description.features.includes('ndjson');
  return Array.from({ length: slots }, async (_, index) => {
    const ms = WORK_MS + index * STEP_MS;
    const body = newExecution(capabilityId, input ?? { ms });
    const dueAt = performance.now() + ms;
    const sent = isStreamed ? runner.client.stream(body).done : runner.client.executeOnce(body);
    const exchange = await Promise.race([sent.catch(noAnswer), gone]);
    return {
      executionId: body.executionId,
      exchange,
      lateMs: input === undefined ? performance.now() - dueAt : 0,
    };
  });
}

/** Goes on offering work until the process has ended. */
async function offerAfter(
  runner: JudgedRunner,
  { capabilityId, input, signal }: DrainOptions,
  { ended, gone }: { readonly ended: AbortSignal; readonly gone: Promise<undefined> },
): Promise<{ takenAfter: number; refusedAfter: number }> {
  const counts = { takenAfter: 0, refusedAfter: 0 };
  while (!ended.aborted && !signal.aborted) {
    const sent = runner.client.executeOnce(newExecution(capabilityId, input ?? { ms: 1 })).catch(noAnswer);
    const exchange = await Promise.race([sent, gone]);
    if (exchange?.reply?.success) counts.takenAfter += 1;
    else counts.refusedAfter += 1;
    await pause(OFFER_EVERY_MS, AbortSignal.any([ended, signal]));
  }
  return counts;
}

/**
 * Tells a runner to stop while it works, and counts what comes of its executions.
 * @param runner - one that the kit has started; it has ended afterwards, or its time was up
 */
export async function measureDrain(runner: JudgedRunner, options: DrainOptions): Promise<DrainCertificate> {
  const { process } = runner;
  if (!process) throw new TypeError('the kit does not hold the process of the runner');
  const { signal } = options;
  const over = new AbortController();
  const gone = new Promise<void>((resolve) => {
    over.signal.addEventListener('abort', () => resolve());
  })
    .then(() => pause(LAST_WORDS_MS, signal))
    .then(() => undefined);
  const running = offer(runner, options, gone);
  await pause(BEGUN_MS, signal);
  const signalledAt = performance.now();
  process.signal('SIGTERM');
  const offering = offerAfter(runner, options, { ended: over.signal, gone });
  // A drain of its own length, and what it takes to leave.
  const end = await within(process.ended, { ms: DEFAULTS.drainMs + LATE_MS, signal });
  const timeToDrainMs = performance.now() - signalledAt;
  over.abort();
  const settled = await Promise.all(running);
  const fates = settled.map(fateOf);
  const count = (fate: Fate): number => fates.filter((one) => one === fate).length;
  const found = {
    finished: count('finished'),
    handedBack: count('handedBack'),
    lost: count('lost'),
    duplicated: settled.filter((one) => isDuplicated(one, runner)).length,
    late: settled.filter(({ lateMs }) => lateMs > LATE_MS).length,
  };
  return {
    schemaVersion: '1.0',
    capability: options.capabilityId,
    offered: running.length,
    ...found,
    ...(await offering),
    ...(end ? { timeToDrainMs: Math.round(timeToDrainMs) } : {}),
    ...(end && end.code !== null ? { exitCode: end.code } : {}),
    ok: end !== undefined && found.lost + found.duplicated + found.late === 0,
  };
}
