import { HealthCheck } from '@controlplane/contracts';
import type { Case, CaseContext, JudgedRunner } from '../case/case.js';
import { memberOf, must, mustReply } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { NoAnswer, type Exchange } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import { urlsOfRegistration } from '../harness/runner-description.js';
import type { RecordedMessage } from '../harness/recorded-message.js';
import { newExecution } from '../harness/runner-client.js';

const WAIT_MS = 10_000;
const POLL_MS = 50;
/** Longer than all looks at a runner that drains take. */
const WORK_MS = 2_500;
const CLOCK_MS = 5 * 60_000;
const MAX_SLOTS = 32;

/** What a path answers; undefined where nobody is there any more. */
function look({ client }: JudgedRunner, path: string): Promise<Exchange | undefined> {
  return client.get(path).catch((error: unknown) => {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  });
}

async function mustServe(runner: JudgedRunner, path: string): Promise<void> {
  const exchange = await runner.client.get(path);
  if (exchange.status === 404) throw new NotApplicable(`the runner does not serve /${path}`);
}

/** Asks until the answer is as wished; the last answer where it never was. */
async function lookUntil(
  { signal }: CaseContext,
  runner: JudgedRunner,
  {
    path,
    isFit,
    ms,
  }: { readonly path: string; readonly isFit: (found: Exchange) => boolean; readonly ms: number },
): Promise<Exchange | undefined> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look(runner, path);
    if (!found || isFit(found) || performance.now() > deadline) return found;
    await pause(POLL_MS, signal);
  }
}

const isNotReady = ({ status, json }: Exchange): boolean => status === 503 && memberOf(json, 'ok') === false;

async function notReadyBeforeRegistration(context: CaseContext): Promise<void> {
  await mustServe(context.runner, 'readyz');
  const runner = await context.startRunner({
    awaitRegistration: false,
    script: { answer: ({ kind }) => (kind === 'register' ? { error: 'SHUTTING_DOWN' } : undefined) },
  });
  const asked = await runner.controlPlane?.waitFor(({ kind }) => kind === 'register', {
    timeoutMs: WAIT_MS,
    signal: context.signal,
  });
  if (!asked) throw new NotEvaluable('no registration arrived');
  // Where it serves, its registration says: nobody has accepted that yet.
  const { root } = urlsOfRegistration(asked.json) ?? runner.client.urls;
  const found = await runner.client.send({ method: 'GET', url: new URL('readyz', root).href });
  mustReply(isNotReady(found), '503 and ok=false while no registration was accepted', found);
}

async function notReadyWhileNotReceiving(context: CaseContext): Promise<void> {
  await mustServe(context.runner, 'readyz');
  const runner = await context.startRunner({
    script: {
      answer: ({ kind }) =>
        kind === 'heartbeat' ? { members: { known: true, receiving: false } } : undefined,
    },
  });
  const found = await lookUntil(context, runner, { path: 'readyz', isFit: isNotReady, ms: WAIT_MS });
  must(found && isNotReady(found), {
    sent: 'receiving=false in the reply to every beat',
    expected: `503 and ok=false from /readyz within ${WAIT_MS / 1000} s`,
    actual: found ? `HTTP ${found.status}` : 'no answer',
    exchange: found,
  });
}

async function readyWhileFull(context: CaseContext): Promise<void> {
  await mustServe(context.runner, 'readyz');
  const { id, maxConcurrency } = context.fixture('conformance.sleep');
  const slots = Math.min(maxConcurrency, context.runner.description.maxConcurrency ?? maxConcurrency);
  if (slots > MAX_SLOTS) throw new NotApplicable(`the runner declares more than ${MAX_SLOTS} slots`);
  const running = Array.from({ length: slots }, () =>
    context.runner.client.executeOnce(newExecution(id, { ms: WORK_MS / 2 })),
  );
  await pause(300, context.signal);
  const [ready, live] = [await context.runner.client.get('readyz'), await context.runner.client.get('livez')];
  await Promise.all(running);
  for (const found of [ready, live])
    mustReply(found.status === 200, `200 while all ${slots} slots are taken: that is no fault`, found);
}

interface Draining {
  readonly runner: JudgedRunner;
  /** Whether the work that it has is over; when that was, on the kit's clock. */
  readonly overAt: () => number | undefined;
  readonly over: Promise<unknown>;
}

/** A runner that was told to stop while it works. */
async function startDraining(context: CaseContext, workMs = WORK_MS): Promise<Draining> {
  const { id } = context.fixture('conformance.sleep');
  const runner = await context.startRunner();
  let overAt: number | undefined;
  const work = runner.client.execute(newExecution(id, { ms: workMs })).catch((error: unknown) => error);
  const over = work.then(() => {
    overAt = performance.now();
  });
  await pause(300, context.signal);
  if (!runner.process) throw new NotEvaluable('the kit does not hold the process of the runner');
  runner.process.signal('SIGTERM');
  return { runner, over, overAt: () => overAt };
}

/** Looks until the work is over whether the runner is not ready, or not there, meanwhile; what it answered else. */
async function readyMeanwhile(
  context: CaseContext,
  { runner, overAt }: Draining,
): Promise<Exchange | undefined> {
  let last: Exchange | undefined;
  while (overAt() === undefined && !context.signal.aborted) {
    const found = await look(runner, 'readyz');
    // Who ends with its work is not there any more either: that says nothing of the time before.
    await pause(POLL_MS, context.signal);
    if (overAt() === undefined && (!found || isNotReady(found))) return undefined;
    last = found ?? last;
  }
  return last;
}

/** Twice as patient on a machine that is busy with something else. */
const WORKS_MS = [WORK_MS, 8_000] as const;

async function notReadyWhileDraining(context: CaseContext): Promise<void> {
  await mustServe(context.runner, 'readyz');
  let found: Exchange | undefined;
  for (const workMs of WORKS_MS) {
    const draining = await startDraining(context, workMs);
    found = await readyMeanwhile(context, draining);
    if (!found) return;
    await draining.over;
  }
  must(!found, {
    sent: 'SIGTERM while an execution runs',
    expected: '503 and ok=false from /readyz before it ends, or a closed port',
    actual: `HTTP ${found?.status}`,
    exchange: found,
  });
}

async function liveWhileDraining(context: CaseContext): Promise<void> {
  await mustServe(context.runner, 'livez');
  const { runner, over } = await startDraining(context);
  await pause(300, context.signal);
  const found = await look(runner, 'livez');
  await over;
  must(found === undefined || found.status === 200, {
    sent: 'SIGTERM while an execution runs',
    expected: '200 from /livez, or a closed port: what finishes its work must not be killed for it',
    actual: `HTTP ${found?.status}`,
    exchange: found,
  });
}

/** How long before the end of the work it must be told: what is told at the end is told too late. */
const AHEAD_MS = 250;

async function saysItDrains(context: CaseContext): Promise<void> {
  let told: RecordedMessage | undefined;
  for (const workMs of WORKS_MS) {
    const { runner, over, overAt } = await startDraining(context, workMs);
    told = await runner.controlPlane?.waitFor(
      ({ kind, json }) =>
        kind === 'deregister' || (kind === 'heartbeat' && memberOf(json, 'draining') === true),
      { timeoutMs: WAIT_MS, signal: context.signal },
    );
    await over;
    if (told && told.at < (overAt() ?? 0) - AHEAD_MS) return;
  }
  must(false, {
    sent: 'SIGTERM while an execution runs',
    expected: 'a beat with draining=true, or the deregistration, before the execution ends',
    actual: told ? 'told when the execution had ended' : 'not told',
  });
}

async function uptimeInSeconds({ runner, signal }: CaseContext): Promise<void> {
  const startedAt = performance.now();
  const uptimeOf = async (): Promise<{ health: Exchange; uptime: unknown }> => {
    const health = await runner.client.send({ method: 'GET', url: runner.client.urls.health });
    return { health, uptime: memberOf(health.json, 'uptime') };
  };
  const before = await uptimeOf();
  if (typeof before.uptime !== 'number') throw new NotApplicable('health has no uptime');
  await pause(500, signal);
  const { health, uptime } = await uptimeOf();
  // Whole seconds may add one.
  const most = (performance.now() - startedAt) / 1_000 + 1;
  const grown = typeof uptime === 'number' ? uptime - before.uptime : Number.NaN;
  mustReply(grown >= 0 && grown <= most, `an uptime in seconds, grown by at most ${most.toFixed(1)}`, health);
}

async function tellsTheTime({ runner }: CaseContext): Promise<void> {
  const health = await runner.client.send({ method: 'GET', url: runner.client.urls.health });
  const { timestamp } = HealthCheck.partial().safeParse(health.json).data ?? {};
  if (timestamp === undefined) throw new NotApplicable('health has no timestamp');
  mustReply(
    Math.abs(Date.parse(timestamp) - Date.now()) < CLOCK_MS,
    'a timestamp within five minutes of the time here',
    health,
  );
}

export const readinessCases: readonly Case[] = [
  { id: 'health.not-ready-before-registration', judge: notReadyBeforeRegistration },
  { id: 'health.not-ready-while-not-receiving', judge: notReadyWhileNotReceiving },
  { id: 'health.ready-while-full', alone: true, judge: readyWhileFull },
  { id: 'health.not-ready-while-draining', judge: notReadyWhileDraining },
  { id: 'health.live-while-draining', judge: liveWhileDraining },
  { id: 'health.uptime-in-seconds', judge: uptimeInSeconds },
  { id: 'health.tells-the-time', judge: tellsTheTime },
  { id: 'heartbeat.says-it-drains', judge: saysItDrains },
];
