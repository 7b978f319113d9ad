import {
  CONTRACT_VERSION_CURRENT,
  negotiateVersion,
  serializeVersion,
  type Directive,
  type RunnerDeregistrationRequest,
  type RunnerDeregistrationResponse,
  type RunnerHeartbeat,
  type RunnerHeartbeatResponse,
  type RunnerMetadata,
  type RunnerRegistrationRequest,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { LinkRegistry } from '../links/link-registry.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { capabilityFor, type Demand, type Offer } from '../model/placement.js';
import type { AttemptEndings } from './attempt-endings.js';
import { createInputChecks, type InputCheck } from './input-check.js';
import type { LiveState } from './live-state.js';
import { newId } from './new-id.js';
import { createRunnerEntry, identityOf, isSameInstance, toRunnerMetadata, type RunnerRecord } from './runner-entry.js';
import type { RunnerEntry } from './live-job.js';

/** Every runner that is known. */
export interface RunnerRegistry {
  register(request: RunnerRegistrationRequest): Promise<RunnerRegistrationResponse>;
  heartbeat(beat: RunnerHeartbeat): RunnerHeartbeatResponse;
  deregister(id: string, request: RunnerDeregistrationRequest): Promise<RunnerDeregistrationResponse>;
  /** Puts a runner back that the store knows. */
  restore(id: string, record: RunnerRecord): void;
  get(id: string): RunnerEntry | undefined;
  list(): RunnerMetadata[];
  entries(): Iterable<RunnerEntry>;
  /** Runners that offer what a demand asks for, whether or not they are free. */
  offers(demand: Demand): readonly Offer<RunnerEntry>[];
  capabilityIds(): string[];
  forget(entry: RunnerEntry): void;
}

export interface RegistryParts {
  readonly state: LiveState;
  readonly links: LinkRegistry;
  readonly endings: AttemptEndings;
}

/** Whether the connection that a runner has serves its new registration too. */
function keepsLink(before: RunnerRegistrationRequest, after: RunnerRegistrationRequest): boolean {
  const connection = ({ delivery, healthCheckEndpoint, features }: RunnerRegistrationRequest): string =>
    JSON.stringify([delivery, healthCheckEndpoint, features]);
  return connection(before) === connection(after);
}

export function createRunnerRegistry({ state, links, endings }: RegistryParts): RunnerRegistry {
  const entries = new Map<string, RunnerEntry>();
  const byIdentity = new Map<string, RunnerEntry>();
  const inputChecks = createInputChecks();
  /** Ids of registrations that are being written. */
  const minted = new Map<string, string>();
  let offersByDemand = new Map<string, readonly Offer<RunnerEntry>[]>();

  const changed = (): void => {
    offersByDemand = new Map();
    state.wake();
  };

  const checksOf = (registration: RunnerRegistrationRequest): ReadonlyMap<string, InputCheck | undefined> =>
    new Map(
      registration.capabilities.map((capability) => {
        const compiled = inputChecks.of(capability.inputSchema);
        if ('check' in compiled) return [capability.id, compiled.check];
        const where = { runner: registration.name, capability: capability.id, problem: compiled.problem };
        state.log('warn', 'an input schema cannot be compiled: inputs of this capability are not checked at submit', where);
        return [capability.id, undefined];
      }),
    );

  const loseAll = (entry: RunnerEntry, why: string): void => {
    for (const execution of [...entry.executions.values()]) endings.lost(execution, why);
  };

  const add = (id: string, record: RunnerRecord): RunnerEntry => {
    const link = links.open(record.registration);
    const entry = createRunnerEntry({ id, record, link, checks: checksOf(record.registration), now: state.clock.now() });
    entries.set(id, entry);
    byIdentity.set(identityOf(record.registration), entry);
    changed();
    return entry;
  };

  const renew = (entry: RunnerEntry, { registration, registeredAt }: RunnerRecord): void => {
    const { instanceId } = entry.registration;
    const restarted = registration.instanceId !== instanceId;
    const relinked = !keepsLink(entry.registration, registration);
    if (restarted || relinked) loseAll(entry, `${entry.name} was started anew.`);
    if (relinked) {
      links.close(entry.link);
      entry.link = links.open(registration);
    }
    byIdentity.delete(identityOf(entry.registration));
    byIdentity.set(identityOf(registration), entry);
    Object.assign(entry, { registration, registeredAt, checks: checksOf(registration) });
    Object.assign(entry, { lastSeenAt: state.clock.now(), failures: 0, leaving: false });
    Object.assign(entry.vitals, { reported: 'healthy', lost: false, draining: false, unreachable: false, blockedUntil: 0 });
    changed();
  };

  const store = (operation: Parameters<LiveState['commit']['attempt']>[0]): Promise<void> =>
    new Promise((resolve, reject) => {
      state.commit.attempt(operation, (error) => (error === undefined ? resolve() : reject(error)));
    });

  const registry: RunnerRegistry = {
    async register(registration) {
      const contractVersion = negotiateVersion(CONTRACT_VERSION_CURRENT, registration.contractVersion);
      if (contractVersion === undefined) {
        const theirs = serializeVersion(registration.contractVersion);
        throw new JobForgeError('CONTRACT_MISMATCH', {
          message: `The runner speaks contract ${theirs}; JobForge speaks ${serializeVersion(CONTRACT_VERSION_CURRENT)}.`,
        });
      }
      const known = byIdentity.get(identityOf(registration));
      const record: RunnerRecord = { registration, registeredAt: state.clock.now() };
      const identity = identityOf(registration);
      const id = known?.id ?? minted.get(identity) ?? newId();
      minted.set(identity, id);
      await store({ kind: 'put-runner', id, record: JSON.stringify(record) }).finally(() => minted.delete(identity));
      const entry = byIdentity.get(identityOf(registration));
      if (entry === undefined) add(id, record);
      else renew(entry, record);
      return {
        runnerId: entry?.id ?? id,
        registeredAt: new Date(record.registeredAt).toISOString(),
        heartbeatIntervalMs: state.limits.heartbeatIntervalMs,
        leaseMs: state.limits.leaseMs,
        limits: { maxBodyBytes: state.limits.maxBodyBytes, maxLogBytes: state.limits.maxLogBytes },
        contractVersion,
      };
    },
    heartbeat(beat) {
      const entry = entries.get(beat.runnerId);
      const foreign = beat.instanceId !== undefined && entry !== undefined && !isSameInstance(entry, beat.instanceId);
      if (entry === undefined || foreign || entry.leaving) {
        return { known: false, receiving: false, directives: [{ kind: 'register' }] };
      }
      onBeat(state, entry, beat);
      const receiving = !entry.vitals.draining && !state.stopping;
      const { heartbeatIntervalMs } = state.limits;
      return { known: true, receiving, directives: directivesFor(state, entry, beat), heartbeatIntervalMs };
    },
    async deregister(id, { instanceId }) {
      const entry = entries.get(id);
      if (entry === undefined) throw new JobForgeError('RUNNER_NOT_FOUND', { message: `There is no runner "${id}".` });
      if (instanceId !== undefined && !isSameInstance(entry, instanceId)) return { runnerId: id, deregistered: false };
      await store({ kind: 'remove-runner', id });
      entry.vitals.draining = true;
      entry.leaving = true;
      if (entry.active === 0) registry.forget(entry);
      return { runnerId: id, deregistered: true };
    },
    restore: (id, record) => void add(id, record),
    get: (id) => entries.get(id),
    list: () => [...entries.values()].map(toRunnerMetadata),
    entries: () => entries.values(),
    offers(demand) {
      const key = `${demand.payloadType}\n${demand.jobType}`;
      const cached = offersByDemand.get(key);
      if (cached !== undefined) return cached;
      const offers = [...entries.values()].flatMap((runner) => {
        const capability = capabilityFor(runner.registration.capabilities, demand);
        return capability === undefined || runner.leaving ? [] : [{ runner, capability }];
      });
      if (offersByDemand.size > MAX_CACHED_DEMANDS) offersByDemand.clear();
      offersByDemand.set(key, offers);
      return offers;
    },
    capabilityIds: () => [...new Set([...entries.values()].flatMap(({ registration }) => registration.capabilities.map(({ id }) => id)))],
    forget(entry) {
      entries.delete(entry.id);
      if (byIdentity.get(identityOf(entry.registration)) === entry) byIdentity.delete(identityOf(entry.registration));
      links.close(entry.link);
      changed();
    },
  };
  return registry;
}

/** Demands whose offers are remembered; clients choose them, so they are bounded. */
const MAX_CACHED_DEMANDS = 1_000;

function onBeat(state: LiveState, entry: RunnerEntry, beat: RunnerHeartbeat): void {
  const now = state.clock.now();
  entry.lastSeenAt = now;
  const { vitals } = entry;
  const improved = vitals.lost || vitals.draining || vitals.reported !== beat.status;
  Object.assign(vitals, { lost: false, reported: beat.status, draining: beat.draining ?? false });
  const leaseUntil = now + state.limits.leaseMs;
  if (beat.executions === undefined) for (const execution of entry.executions.values()) execution.leaseUntil = leaseUntil;
  for (const id of beat.executions ?? []) {
    const execution = entry.executions.get(id);
    if (execution !== undefined) execution.leaseUntil = leaseUntil;
  }
  if (improved) state.wake();
}

/** Tells a runner to stop what it runs in vain: executions that are cancelled, and those that are no longer its own. */
function directivesFor(state: LiveState, entry: RunnerEntry, beat: RunnerHeartbeat): Directive[] {
  return (beat.executions ?? []).flatMap((executionId): Directive[] => {
    const execution = entry.executions.get(executionId);
    if (execution === undefined) return state.stopping ? [] : [{ kind: 'cancel', executionId, reason: 'lease-lost' }];
    const { cancel } = execution.job;
    return cancel === undefined ? [] : [{ kind: 'cancel', executionId, reason: cancel }];
  });
}
