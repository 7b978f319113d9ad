import type { JobEvent, JobResponse } from '@controlplane/contracts';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { endExecution, takeStep, type HistoryStep } from './history-steps.fixture.js';
import { createHistoryWorld, hasEnded, type HistoryJob, type HistoryWorld } from './history-world.js';

/** Seconds after which everything must have ended once all is well: a lease, a return and every retry fit in. */
const HEALING_S = 180;
const TERMINAL: ReadonlySet<string> = new Set([
  'job.completed',
  'job.failed',
  'job.cancelled',
  'job.expired',
]);

/** What JobForge says of a job; undefined where there is none. */
async function shown(world: HistoryWorld, id: string): Promise<JobResponse | undefined> {
  return world
    .engine()
    .operations.showJob(id)
    .catch(() => undefined);
}

/** All is well from now on: runners are there, accept what they are offered and succeed. */
async function heal(world: HistoryWorld): Promise<void> {
  for (let second = 0; second < HEALING_S; second += 1) {
    for (const runner of world.runners) {
      runner.listen();
      runner.connect(world.engine().operations);
      runner.read();
      for (const execution of [...runner.held.values()]) {
        if (execution.phase === 'offered') runner.accept(execution);
        else if (execution.phase === 'running' && execution.cancelled)
          runner.tell(execution, { type: 'cancelled', reason: 'user', executionTimeMs: 1 });
        else if (execution.phase === 'running') endExecution(runner, execution, 'succeeded');
      }
    }
    await world.advance(1_000);
    await world.settle();
    if (world.engine().running() > 0 || world.runners.some(({ held }) => held.size > 0)) continue;
    const jobs = await Promise.all([...world.jobs.keys()].map((id) => shown(world, id)));
    const left = jobs.some((job) => job !== undefined && !hasEnded(job));
    if (!left) return;
  }
}

async function eventsOf(world: HistoryWorld, id: string): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of world.engine().operations.jobEvents(id, { follow: false })) events.push(event);
  return events;
}

function problemsOfEnd({ id, end }: HistoryJob, job: JobResponse): string[] {
  if (end === undefined) return [];
  const { event, executionId } = end;
  const data = job.result?.data as { by?: string } | undefined;
  // A success that was taken over is the job's, whatever else was said meanwhile.
  if (event.type === 'succeeded' && (job.status !== 'completed' || data?.by !== executionId))
    return [`${id}: the success of ${executionId} was acknowledged, and the job is ${job.status}`];
  return [];
}

async function problemsOfJob(world: HistoryWorld, job: HistoryJob): Promise<string[]> {
  const { id, capability, acknowledged, wrote, began } = job;
  const view = await shown(world, id);
  if (view === undefined) return acknowledged ? [`${id}: acknowledged, and there is no such job`] : [];
  const problems: string[] = [];
  if (!hasEnded(view)) problems.push(`${id}: has not ended: ${view.status} (${view.waitingFor ?? ''})`);
  if (wrote.size > 1) problems.push(`${id}: ${capability} wrote in ${wrote.size} executions`);
  if (new Set(began).size < began.length)
    problems.push(`${id}: a handler was started twice for one execution`);
  const events = await eventsOf(world, id);
  const ends = events.filter(({ type }) => TERMINAL.has(type));
  if (hasEnded(view) && (ends.length !== 1 || events.at(-1) !== ends[0]))
    problems.push(`${id}: its events end ${ends.length} times: ${events.map(({ type }) => type).join(' ')}`);
  const ids = events.map((event) => event.id);
  if (new Set(ids).size < ids.length) problems.push(`${id}: two events have one id: ${ids.join(' ')}`);
  return [...problems, ...problemsOfEnd(job, view)];
}

function problemsOfWorld(world: HistoryWorld): string[] {
  const problems = world.errors.map((error) => `logged: ${error}`);
  for (const [seq, times] of world.finishes)
    if (times > 1) problems.push(`the end of the job with seq ${seq} was written ${times} times`);
  const running = world.engine().running();
  if (running > 0) problems.push(`${running} executions are left`);
  return problems;
}

/** Stores that histories have left: to open one takes longer than a history. */
const stores: Store[] = [];

async function emptied(store: Store): Promise<Store> {
  const runners = await store.loadRunners();
  await store.commit(runners.map(({ id }) => ({ kind: 'remove-runner', id })));
  await store.prune({ endedBefore: Number.MAX_SAFE_INTEGER, keepJobs: 0, limit: 1_000 });
  return store;
}

/** Closes the stores that are kept for the next history. */
export async function closeHistories(): Promise<void> {
  for (const store of stores.splice(0)) await store.close();
}

/** Lets a history happen, then lets everything end, and says what is wrong. Histories of one file have stores of one kind. */
export async function problemsOfHistory(
  steps: readonly HistoryStep[],
  random: () => number,
  open: () => Promise<Store> = () => openSqliteStore({ location: ':memory:' }),
): Promise<string[]> {
  const store = stores.pop() ?? (await open());
  const world = await createHistoryWorld(store, random);
  let problems: string[] = ['it did not come to its end'];
  try {
    for (const step of steps) await takeStep(world, step);
    await world.settle();
    await heal(world);
    const jobs = await Promise.all([...world.jobs.values()].map((job) => problemsOfJob(world, job)));
    problems = [...problemsOfWorld(world), ...jobs.flat()];
    return problems;
  } finally {
    await world.close();
    if (problems.length > 0) await store.close();
    else stores.push(await emptied(store));
  }
}
