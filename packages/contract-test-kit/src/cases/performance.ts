import type { Case, CaseContext } from '../case/case.js';
import { must } from '../case/expect.js';
import { NotApplicable, NotEvaluable } from '../case/verdict.js';
import { newExecution } from '../harness/runner-client.js';

/** Bounds are wide: they find what is wrong by design, not what a busy machine does. */
const ROUNDS = 40;
const OVERHEAD_MS = 150;
const MAX_SLOTS = 16;
const SLEEPS_MS = [500, 2_000] as const;
const BURST = 64;
const BURST_MS = 10_000;
const WARM_UP = 60;
const MEASURED = 120;
const LANES = 4;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;

async function isQuick(context: CaseContext): Promise<void> {
  const { id } = context.fixture('conformance.echo');
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    times.push((await context.runner.client.execute(newExecution(id, { text: 'quick' }))).durationMs);
  // The faster half: what the runner can do, whatever else the machine does.
  const quarter = times.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 4)] ?? 0;
  must(quarter <= OVERHEAD_MS, {
    sent: `${ROUNDS} executions of conformance.echo, one after the other`,
    expected: `the quicker quarter answered within ${OVERHEAD_MS} ms`,
    actual: `${Math.round(quarter)} ms`,
  });
}

async function usesItsSlots(context: CaseContext): Promise<void> {
  const { id, maxConcurrency } = context.fixture('conformance.sleep');
  const slots = Math.min(
    maxConcurrency,
    context.runner.description.maxConcurrency ?? maxConcurrency,
    MAX_SLOTS,
  );
  if (slots < 3) throw new NotApplicable('the runner declares fewer than 3 slots');
  let tookMs = 0;
  for (const ms of SLEEPS_MS) {
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: slots }, () => context.runner.client.execute(newExecution(id, { ms }))),
    );
    tookMs = performance.now() - startedAt;
    if (tookMs < (slots * ms) / 2) return;
  }
  const longest = SLEEPS_MS[1];
  must(false, {
    sent: `${slots} executions of ${longest} ms at once`,
    expected: `all of them in less than half of the ${(slots * longest) / 1000} s that they take one after the other`,
    actual: `${(tookMs / 1000).toFixed(1)} s`,
  });
}

async function answersABurst({ runner }: CaseContext): Promise<void> {
  const { client } = runner;
  const exchanges = await Promise.all(
    Array.from({ length: BURST }, () => client.send({ method: 'GET', url: client.urls.health })),
  );
  const slowest = exchanges.toSorted((left, right) => right.durationMs - left.durationMs)[0];
  must(slowest && slowest.durationMs < BURST_MS, {
    sent: `GET health ${BURST} times at once`,
    expected: `every answer within ${BURST_MS / 1000} s`,
    actual: `${Math.round(slowest?.durationMs ?? 0)} ms`,
    exchange: slowest,
  });
}

async function keepsItsMemory(context: CaseContext): Promise<void> {
  const { id, maxConcurrency } = context.fixture('conformance.echo');
  const runner = await context.startRunner();
  const bytes = async (): Promise<number> => {
    const found = await runner.process?.residentBytes();
    if (found === undefined) throw new NotEvaluable('the memory of a process cannot be read on this system');
    return found;
  };
  const body = () => newExecution(id, { text: 'x'.repeat(1_000) });
  const lanes = Math.min(LANES, maxConcurrency, runner.description.maxConcurrency ?? LANES);
  const run = async (count: number): Promise<void> => {
    const lane = async (): Promise<void> => {
      for (let done = 0; done < count / lanes; done += 1) await runner.client.execute(body());
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  await run(WARM_UP);
  const before = await bytes();
  await run(MEASURED);
  const growth = (await bytes()) - before;
  must(growth < MAX_GROWTH_BYTES, {
    sent: `${MEASURED} executions of conformance.echo, after ${WARM_UP} to warm up`,
    expected: `memory grown by less than ${MAX_GROWTH_BYTES / 1024 / 1024} MB`,
    actual: `${Math.round(growth / 1024 / 1024)} MB`,
  });
}

export const performanceCases: readonly Case[] = [
  { id: 'performance.is-quick', alone: true, judge: isQuick },
  { id: 'performance.uses-its-slots', alone: true, judge: usesItsSlots },
  { id: 'performance.answers-a-burst', alone: true, judge: answersABurst },
  { id: 'performance.keeps-its-memory', judge: keepsItsMemory },
];
