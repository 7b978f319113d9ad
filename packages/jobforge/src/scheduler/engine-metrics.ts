import { gauge, type MetricFamily } from '../model/metric-family.js';
import { JOBFORGE_VERSION } from '../model/version.js';
import type { EngineMeters } from './engine-meters.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { queueMetrics } from './queue-metrics.js';
import { shownRunnerStatus } from './runner-entry.js';
import type { RunnerRegistry } from './runner-registry.js';

function countBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function stateOf(runner: RunnerEntry): string {
  const status = shownRunnerStatus(runner);
  return runner.vitals.draining && status !== 'offline' ? 'draining' : status;
}

function runnerMetrics(runners: readonly RunnerEntry[]): MetricFamily[] {
  const counts = countBy(
    runners,
    (runner) => `${runner.registration.delivery?.kind ?? 'push'}\n${stateOf(runner)}`,
  );
  const online = runners.filter((runner) => shownRunnerStatus(runner) !== 'offline');
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return [
    gauge(
      'jobforge_runners',
      'Runners that are known, by state and delivery.',
      [...counts].map(([key, count]) => {
        const [delivery = '', state = ''] = key.split('\n');
        return [{ delivery, state }, count];
      }),
    ),
    gauge(
      'jobforge_runner_slots',
      'Slots of the runners that are not offline.',
      sum(online.map(({ slots }) => slots)),
    ),
    gauge(
      'jobforge_runner_slots_taken',
      'Slots of the runners that are not offline in which an execution is.',
      sum(online.map(({ active }) => active)),
    ),
  ];
}

function leaseMetrics(state: LiveState): MetricFamily {
  const counts = countBy(state.executions.values(), ({ phase }) =>
    phase === 'open' ? 'offered' : 'running',
  );
  return gauge(
    'jobforge_leases',
    'Executions that have not ended: offered to a runner, or running there.',
    ['offered', 'running'].map((phase) => [{ state: phase }, counts.get(phase) ?? 0]),
  );
}

/** Everything that the engine measures, as of now. */
export function engineMetrics(state: LiveState, registry: RunnerRegistry): MetricFamily[] {
  const { meters } = state;
  return [
    gauge('jobforge_info', 'The version that runs.', [[{ version: JOBFORGE_VERSION }, 1]]),
    ...queueMetrics(state.jobs.values(), registry.capabilityIds(), state.clock.now()),
    leaseMetrics(state),
    ...runnerMetrics([...registry.entries()]),
    gauge(
      'jobforge_store_up',
      'Whether the last transaction was written.',
      state.commit.failure() === undefined ? 1 : 0,
    ),
    gauge('jobforge_input_bytes', 'Bytes of inputs of waiting jobs in memory.', state.inputBytes),
    ...Object.values(meters).map((meter: EngineMeters[keyof EngineMeters]) => meter.collect()),
  ];
}
