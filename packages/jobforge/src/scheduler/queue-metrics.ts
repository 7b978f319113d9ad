import { OTHER } from '../metrics/label-series.js';
import type { JobPhase } from '../model/job-state.js';
import { gauge, type MetricFamily } from '../model/metric-family.js';
import type { LiveJob } from './live-job.js';

/** Capabilities that are listed by name. Clients name them, so there is an end to it. */
const MAX_CAPABILITIES = 200;

const SHOWN = ['pending', 'queued', 'leased', 'running', 'retrying'] as const;
type Shown = (typeof SHOWN)[number];

interface Tally {
  readonly jobs: Record<Shown, number>;
  /** When the oldest of those that wait for a runner could have started. */
  oldest: number;
}

const isShown = (phase: JobPhase): phase is Shown => (SHOWN as readonly JobPhase[]).includes(phase);

function newTally(): Tally {
  return { jobs: { pending: 0, queued: 0, leased: 0, running: 0, retrying: 0 }, oldest: Infinity };
}

function tallyOf(jobs: Iterable<LiveJob>): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const job of jobs) {
    const { capability, phase } = job;
    if (!isShown(phase)) continue;
    let tally = tallies.get(capability);
    if (tally === undefined) tallies.set(capability, (tally = newTally()));
    tally.jobs[phase] += 1;
    if (phase === 'queued') tally.oldest = Math.min(tally.oldest, Math.max(job.createdAt, job.nextAt));
  }
  return tallies;
}

function merged(into: Tally, from: Tally): Tally {
  for (const phase of SHOWN) into.jobs[phase] += from.jobs[phase];
  into.oldest = Math.min(into.oldest, from.oldest);
  return into;
}

const sizeOf = ({ jobs }: Tally): number => SHOWN.reduce((sum, phase) => sum + jobs[phase], 0);

/** The largest by name, those offered by runners in any case; what is left together. */
function bounded(tallies: ReadonlyMap<string, Tally>, offered: readonly string[]): [string, Tally][] {
  const known = new Set(offered.slice(0, MAX_CAPABILITIES));
  const rows = [...tallies].toSorted(
    ([left, a], [right, b]) => Number(known.has(right)) - Number(known.has(left)) || sizeOf(b) - sizeOf(a),
  );
  const idle = [...known].filter((id) => !tallies.has(id)).map((id): [string, Tally] => [id, newTally()]);
  const rest = rows.slice(MAX_CAPABILITIES);
  const shown = [...rows.slice(0, MAX_CAPABILITIES), ...idle];
  if (rest.length === 0) return shown;
  return [...shown, [OTHER, rest.reduce((sum, [, tally]) => merged(sum, tally), newTally())]];
}

/**
 * How many jobs stand where, and how long the oldest has waited, by the capability that they name. Reads every job that
 * has not ended.
 * @param offered - capabilities of runners: listed also where nothing asks for them
 */
export function queueMetrics(
  jobs: Iterable<LiveJob>,
  offered: readonly string[],
  now: number,
): MetricFamily[] {
  const rows = bounded(tallyOf(jobs), offered);
  return [
    gauge(
      'jobforge_jobs',
      'Jobs that have not ended, by capability and state.',
      rows.flatMap(([capability, tally]) =>
        SHOWN.map((state) => [{ capability, state }, tally.jobs[state]] as const),
      ),
    ),
    gauge(
      'jobforge_queue_depth',
      'Jobs that wait for a runner, by capability.',
      rows.map(([capability, tally]) => [{ capability }, tally.jobs.queued]),
    ),
    gauge(
      'jobforge_queue_oldest_seconds',
      'How long the oldest job has waited for a runner, by capability; 0 where none waits.',
      rows.map(([capability, { oldest }]) => [
        { capability },
        oldest === Infinity ? 0 : Math.max(0, now - oldest) / 1000,
      ]),
    ),
  ];
}
