import type { RunnerStatusReport } from '@controlplane/contracts';
import type { Slots } from '../execution/admission.js';
import type { ExecutionObserver } from '../execution/execution-observer.js';
import type { RunningExecution } from '../execution/running-executions.js';
import type { HostedRunner, HostStatus } from '../hosts/host.js';
import { createMetricsObserver, guardOnMetric, type OnMetric } from '../observability/metrics.js';
import { createTracingObserver, type Tracing } from '../observability/tracing.js';
import { systemClock, type Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { createEndedCounts, createStatus } from './status.js';
import { createVitals } from './vitals.js';
import { createWatchdog, type Stall } from './watchdog.js';

/** What of a runner's options says what is observed, and how. */
export interface ObservationChoices {
  readonly tracing?: Tracing | undefined;
  readonly onMetric?: OnMetric | undefined;
  readonly watchdog?: boolean | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The runner that is observed. */
export interface ObservationOptions {
  readonly choices: ObservationChoices;
  readonly name: string;
  readonly version: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly slots: Slots;
}

/** What a status report is told that is known only once the runner is joined. */
export interface StatusSources {
  readonly executions: () => readonly RunningExecution[];
  readonly state: () => string;
  readonly reasons: () => string[];
  readonly drainEndsAt: () => number | undefined;
  readonly hosts: () => readonly NamedHostStatus[];
}

/** A host's status under its name. */
export type NamedHostStatus = HostStatus & { readonly host: string };

/** Everything that looks at a runner and does not run it. */
export interface Observation {
  readonly observers: readonly ExecutionObserver[];
  readonly vitals: HostedRunner['vitals'];
  readonly standIn: HostedRunner['standIn'];
  /** What `GET /status` answers. */
  readonly status: (sources: StatusSources) => () => RunnerStatusReport;
  /** Looks whether a host has come or gone. */
  readonly hostsChanged: (hosts: readonly NamedHostStatus[]) => void;
  /** Starts to measure the process. */
  start(): void;
  stop(): Promise<void>;
}

/** A thread can neither follow a clock that is not the machine's nor call a `fetch` of the program. */
function wantsWatchdog({ choices, clock }: ObservationOptions): boolean {
  return (choices.watchdog ?? true) && clock === systemClock && choices.fetch === undefined;
}

/** What was last seen of a host. */
interface SeenOfHost {
  readonly isConnected: boolean;
  readonly wasConnected: boolean;
  readonly missed: number;
}

const NEVER_SEEN: SeenOfHost = { isConnected: false, wasConnected: false, missed: 0 };

function followHosts(onMetric: OnMetric | undefined): Observation['hostsChanged'] {
  const seen = new Map<string, SeenOfHost>();
  return (hosts) => {
    for (const { host, state, missed = 0 } of hosts) {
      const isConnected = state === 'connected';
      const last = seen.get(host) ?? NEVER_SEEN;
      seen.set(host, { isConnected, wasConnected: last.wasConnected || isConnected, missed });
      if (missed > last.missed) onMetric?.({ kind: 'heartbeat-missed', host, missed });
      if (last.isConnected === isConnected) continue;
      if (isConnected) onMetric?.({ kind: 'connected', host, again: last.wasConnected });
      else onMetric?.({ kind: 'disconnected', host });
    }
  };
}

/** Makes what observes one runner. */
export function createObservation(options: ObservationOptions): Observation {
  const { choices, name, version, instanceId, clock, logger, slots } = options;
  const onMetric = guardOnMetric(choices.onMetric, logger);
  const counts = createEndedCounts();
  const onStalled = onMetric && ((stall: Stall) => onMetric({ kind: 'stalled', ...stall }));
  const watchdog = wantsWatchdog(options)
    ? createWatchdog({ logger, instanceId, capacity: slots.max, onStalled })
    : undefined;
  let vitals: ReturnType<typeof createVitals> | undefined;
  return {
    observers: [
      counts.observer,
      ...(watchdog ? [watchdog.observer] : []),
      ...(onMetric ? [createMetricsObserver({ onMetric, clock })] : []),
      ...(choices.tracing ? [createTracingObserver({ tracing: choices.tracing, logger })] : []),
    ],
    vitals: () => vitals?.read() ?? {},
    standIn: watchdog?.standIn,
    status: ({ hosts, ...sources }) =>
      createStatus({
        ...sources,
        name,
        version,
        instanceId,
        clock,
        slots,
        ended: counts.ended,
        runnerId: () => hosts().find(({ runnerId }) => runnerId !== undefined)?.runnerId,
        delivery: () => hosts()[0]?.delivery,
        unacknowledged: () => hosts().reduce((sum, { unacknowledged }) => sum + unacknowledged, 0),
      }),
    hostsChanged: followHosts(onMetric),
    start() {
      vitals ??= createVitals();
    },
    async stop() {
      vitals?.stop();
      await watchdog?.stop();
    },
  };
}
