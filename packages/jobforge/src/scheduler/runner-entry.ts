import type { RunnerMetadata, RunnerRegistrationRequest, RunnerStatus } from '@controlplane/contracts';
import { CONTRACT_VERSION_CURRENT, DEFAULTS, serializeVersion } from '@controlplane/contracts';
import type { DispatchSigner } from '../links/dispatch-signature.js';
import type { RunnerLink } from '../links/runner-link.js';
import type { Grounds, RunnerStanding } from '../model/runner-standing.js';
import { markRefusal, runnerStatus } from '../model/runner-status.js';
import type { CapabilityChecks } from './input-check.js';
import type { Execution, RunnerEntry } from './live-job.js';

/** What a runner is known by until it has a secret: its name on its machine, else at its address, else its process. */
export function identityOf(registration: RunnerRegistrationRequest): string {
  const { name, machineId, healthCheckEndpoint, instanceId } = registration;
  if (machineId !== undefined) return `on\n${name}\n${machineId}`;
  return isDialIn(registration) ? `as\n${name}\n${instanceId}` : `at\n${name}\n${healthCheckEndpoint}`;
}

/** Whether a runner connects to JobForge, rather than being connected to. */
export function isDialIn({ delivery }: RunnerRegistrationRequest): boolean {
  return delivery !== undefined && delivery.kind !== 'push';
}

/** What the store keeps of a runner. */
export interface RunnerRecord {
  readonly registration: RunnerRegistrationRequest;
  readonly registeredAt: number;
  /** Key of the signatures on what is pushed to it. */
  readonly signingKey?: string;
  /** What its being here rests on; absent where nobody was asked for a credential. */
  readonly grounds?: Grounds;
}

export interface NewRunner {
  readonly id: string;
  readonly record: RunnerRecord;
  readonly link: RunnerLink;
  readonly signer: DispatchSigner | undefined;
  readonly checks: CapabilityChecks;
  readonly outputs: CapabilityChecks;
  readonly now: number;
  readonly standing: RunnerStanding | undefined;
  /** It comes from the store, not from itself. */
  readonly restored: boolean;
}

/** Of a runner that has done nothing yet. */
const freshVitals = (restored: boolean): RunnerEntry['vitals'] => ({
  reported: 'healthy',
  lost: false,
  unheard: restored,
  draining: false,
  unreachable: false,
  stalledMs: 0,
  blockedUntil: 0,
  blockedFor: 'busy',
});

type Reading =
  | 'name'
  | 'capabilities'
  | 'labels'
  | 'platform'
  | 'features'
  | 'slots'
  | 'active'
  | 'connected'
  | 'hasRoom'
  | 'activeOf';

/** What is read off a runner: one for all of them, because thousands may be there. */
const READINGS: Pick<RunnerEntry, Reading> & ThisType<RunnerEntry> = {
  get name() {
    return this.registration.name;
  },
  get capabilities() {
    return this.registration.capabilities;
  },
  get labels() {
    return this.registration.labels;
  },
  get platform() {
    return this.registration.platform;
  },
  get features() {
    return this.registration.features;
  },
  get slots() {
    return this.registration.maxConcurrency ?? DEFAULTS.runnerSlots;
  },
  get active() {
    return this.executions.size;
  },
  get connected() {
    return !this.barred && this.link.isConnected();
  },
  get hasRoom() {
    return this.link.hasRoom();
  },
  activeOf(capabilityId) {
    return this.activeByCapability.get(capabilityId) ?? 0;
  },
};

export function createRunnerEntry(runner: NewRunner): RunnerEntry {
  const { id, record, link, signer, checks, outputs, now, restored, standing } = runner;
  const own: Omit<RunnerEntry, Reading> = {
    id,
    registration: record.registration,
    registeredAt: record.registeredAt,
    lastSeenAt: now,
    vitals: freshVitals(restored),
    marks: {},
    link,
    signer,
    distrusted: false,
    checks,
    outputs,
    executions: new Map(),
    activeByCapability: new Map(),
    failures: 0,
    probing: false,
    nextProbeAt: 0,
    leaving: false,
    standing,
    barred: false,
    askedToRenewAt: 0,
  };
  return Object.assign(Object.create(READINGS) as Pick<RunnerEntry, Reading>, own);
}

/** Whether a runner takes something new, now or in a while: one that is gone or going does not. */
export function isStaying({ leaving, vitals, marks }: RunnerEntry): boolean {
  return !leaving && !vitals.lost && !vitals.draining && markRefusal(marks) === undefined;
}

/** Counts an execution as running on its runner. */
export function occupySlot(execution: Execution): void {
  const { runner, lease } = execution;
  runner.executions.set(lease.executionId, execution);
  runner.activeByCapability.set(lease.capabilityId, runner.activeOf(lease.capabilityId) + 1);
}

/** Gives the slot back; false where that was done before. */
export function freeSlot({ runner, lease }: Execution): boolean {
  if (!runner.executions.delete(lease.executionId)) return false;
  const active = runner.activeOf(lease.capabilityId) - 1;
  if (active > 0) runner.activeByCapability.set(lease.capabilityId, active);
  else runner.activeByCapability.delete(lease.capabilityId);
  return true;
}

const iso = (time: number): string => new Date(time).toISOString();

/** Leaves out members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/**
 * The status that clients are shown. What has left stays listed until the last of its executions is settled; what
 * polls beats by requests of its own, so that it is there although it does not poll.
 */
export function shownRunnerStatus(entry: RunnerEntry): RunnerStatus {
  const { leaving, barred, connected, registration, vitals } = entry;
  if (leaving || barred) return 'offline';
  return connected || registration.delivery?.kind === 'long-poll' ? runnerStatus(vitals) : 'offline';
}

/** When nothing runs any more on a runner that drains; undefined where that is not known. */
function safeToTerminateAt({ executions, lastSeenAt }: RunnerEntry): number | undefined {
  let latest = lastSeenAt;
  for (const { phase, deadlineAt } of executions.values()) {
    // Whether it runs at all is known within seconds.
    if (phase === 'open') return undefined;
    latest = Math.max(latest, deadlineAt);
  }
  return Number.isFinite(latest) ? latest : undefined;
}

function drainOf(entry: RunnerEntry): Pick<RunnerMetadata, 'draining' | 'safeToTerminateAt'> {
  if (!entry.vitals.draining && entry.marks.drain === undefined) return { draining: false };
  const safeAt = safeToTerminateAt(entry);
  return { draining: true, ...(safeAt === undefined ? {} : { safeToTerminateAt: iso(safeAt) }) };
}

/** A runner as clients are shown it. */
export function toRunnerMetadata(entry: RunnerEntry): RunnerMetadata {
  const { name, version, contractVersion, capabilities, healthCheckEndpoint, tags } = entry.registration;
  const { instanceId, machineId, delivery, labels, platform, buildId, features } = entry.registration;
  return {
    id: entry.id,
    name,
    version,
    contractVersion,
    capabilities,
    healthCheckEndpoint,
    tags,
    supportedContracts: [serializeVersion(CONTRACT_VERSION_CURRENT)],
    registeredAt: iso(entry.registeredAt),
    // What was heard of it before a restart is not kept, beside its registration.
    lastHeartbeatAt: iso(entry.vitals.unheard ? entry.registeredAt : entry.lastSeenAt),
    status: shownRunnerStatus(entry),
    ...(defined({
      instanceId,
      machineId,
      delivery,
      labels,
      platform,
      buildId,
      features,
    }) as Partial<RunnerMetadata>),
    maxConcurrency: entry.slots,
    activeExecutions: entry.active,
    ...drainOf(entry),
    ...(entry.marks.disabled === undefined ? {} : { disabled: entry.marks.disabled }),
    ...(entry.vitals.stalledMs > 0 ? { stalledMs: entry.vitals.stalledMs } : {}),
  };
}

/** Whether the process that an execution was given to is the one that is registered now. */
export function isSameInstance(entry: RunnerEntry, instanceId: string | undefined): boolean {
  return entry.registration.instanceId === instanceId;
}
