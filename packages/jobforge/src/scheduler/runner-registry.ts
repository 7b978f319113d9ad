import {
  CONTRACT_VERSION_CURRENT,
  negotiateVersion,
  serializeVersion,
  type ContractVersion,
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
import type { StoreOperation } from '../store/store.js';
import type { AttemptEndings } from './attempt-endings.js';
import { createInputChecks, type InputCheck, type InputChecks } from './input-check.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { newId } from './new-id.js';
import { answerBeat } from './runner-beats.js';
import {
  createRunnerEntry,
  identityOf,
  isSameInstance,
  toRunnerMetadata,
  type RunnerRecord,
} from './runner-entry.js';
import { createRunnerIndex, type RunnerIndex } from './runner-index.js';

/** Every runner that is known, and how they come and go. */
export interface RunnerRegistry extends Pick<RunnerIndex, 'get' | 'entries' | 'offers' | 'capabilityIds'> {
  register(request: RunnerRegistrationRequest): Promise<RunnerRegistrationResponse>;
  heartbeat(beat: RunnerHeartbeat): RunnerHeartbeatResponse;
  deregister(id: string, request: RunnerDeregistrationRequest): Promise<RunnerDeregistrationResponse>;
  /** Puts a runner back that the store knows. */
  restore(id: string, record: RunnerRecord): void;
  list(): RunnerMetadata[];
  show(id: string): RunnerMetadata;
  forget(entry: RunnerEntry): void;
}

export interface RegistryParts {
  readonly state: LiveState;
  readonly links: LinkRegistry;
  readonly endings: AttemptEndings;
}

interface Desk extends RegistryParts {
  readonly index: RunnerIndex;
  readonly inputChecks: InputChecks;
  /** Registrations that are being written, by identity: the id that they get, and how many they are. */
  readonly registering: Map<string, { readonly id: string; count: number }>;
}

function runnerNotFound(id: string): JobForgeError {
  return new JobForgeError('RUNNER_NOT_FOUND', { message: `There is no runner "${id}".` });
}

/** The version that both sides speak. */
function negotiate(theirs: ContractVersion): ContractVersion {
  const agreed = negotiateVersion(CONTRACT_VERSION_CURRENT, theirs);
  if (agreed !== undefined) return agreed;
  throw new JobForgeError('CONTRACT_MISMATCH', {
    message: `The runner speaks contract ${serializeVersion(theirs)}; JobForge speaks ${serializeVersion(CONTRACT_VERSION_CURRENT)}.`,
  });
}

/** Whether the connection that a runner has serves its new registration too. */
function keepsLink(before: RunnerRegistrationRequest, after: RunnerRegistrationRequest): boolean {
  const connection = ({ delivery, healthCheckEndpoint, features }: RunnerRegistrationRequest): string =>
    JSON.stringify([delivery, healthCheckEndpoint, features]);
  return connection(before) === connection(after);
}

function checksOf(
  { state, inputChecks }: Desk,
  registration: RunnerRegistrationRequest,
): ReadonlyMap<string, InputCheck | undefined> {
  return new Map(
    registration.capabilities.map((capability) => {
      const compiled = inputChecks.of(capability.inputSchema);
      if ('check' in compiled) return [capability.id, compiled.check];
      const where = { runner: registration.name, capability: capability.id, problem: compiled.problem };
      state.log(
        'warn',
        'an input schema cannot be compiled: inputs of this capability are not checked at submit',
        where,
      );
      return [capability.id, undefined];
    }),
  );
}

function add(
  desk: Desk,
  { id, record, restored }: { id: string; record: RunnerRecord; restored: boolean },
): void {
  const link = desk.links.open(record.registration);
  const checks = checksOf(desk, record.registration);
  desk.index.add(createRunnerEntry({ id, record, link, checks, restored, now: desk.state.clock.now() }));
  desk.state.wake();
}

function renew(desk: Desk, entry: RunnerEntry, { registration, registeredAt }: RunnerRecord): void {
  const { state, links, endings, index } = desk;
  const restarted = registration.instanceId !== entry.registration.instanceId;
  const relinked = !keepsLink(entry.registration, registration);
  if (restarted || relinked) {
    for (const execution of [...entry.executions.values()])
      endings.lost(execution, `${entry.name} was started anew.`);
  }
  if (relinked) {
    links.close(entry.link);
    entry.link = links.open(registration);
  }
  index.rename(entry, () =>
    Object.assign(entry, { registration, registeredAt, checks: checksOf(desk, registration) }),
  );
  Object.assign(entry, { lastSeenAt: state.clock.now(), nextProbeAt: 0, failures: 0, leaving: false });
  Object.assign(entry.vitals, {
    reported: 'healthy',
    lost: false,
    unheard: false,
    draining: false,
    unreachable: false,
    blockedUntil: 0,
  });
  state.wake();
}

function stored({ commit }: LiveState, operation: StoreOperation): Promise<void> {
  return new Promise((resolve, reject) => {
    commit.attempt(operation, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

function putRunner(id: string, { registration, registeredAt }: RunnerRecord): StoreOperation {
  return { kind: 'put-runner', id, record: JSON.stringify({ registration, registeredAt }) };
}

/** Writes a registration before it counts. Two at once of the same runner get one id. */
function createRegister(desk: Desk): RunnerRegistry['register'] {
  const { state, index, registering } = desk;
  const { heartbeatIntervalMs, leaseMs, maxBodyBytes, maxLogBytes } = state.limits;
  return async (registration) => {
    const contractVersion = negotiate(registration.contractVersion);
    const identity = identityOf(registration);
    const record: RunnerRecord = { registration, registeredAt: state.clock.now() };
    const others = registering.get(identity);
    const runnerId = index.byIdentity(identity)?.id ?? others?.id ?? newId();
    const writing = others ?? { id: runnerId, count: 0 };
    registering.set(identity, writing);
    writing.count += 1;
    await stored(state, putRunner(runnerId, record)).finally(() => {
      writing.count -= 1;
      if (writing.count === 0) registering.delete(identity);
    });
    const entry = index.get(runnerId);
    if (entry === undefined) add(desk, { id: runnerId, record, restored: false });
    else renew(desk, entry, record);
    const registeredAt = new Date(record.registeredAt).toISOString();
    return {
      runnerId,
      registeredAt,
      heartbeatIntervalMs,
      leaseMs,
      limits: { maxBodyBytes, maxLogBytes },
      contractVersion,
    };
  };
}

export function createRunnerRegistry(parts: RegistryParts): RunnerRegistry {
  const { state, links } = parts;
  const index = createRunnerIndex();
  const desk: Desk = { ...parts, index, inputChecks: createInputChecks(), registering: new Map() };
  const forget = (entry: RunnerEntry): void => {
    index.remove(entry);
    links.close(entry.link);
  };
  return {
    get: index.get,
    entries: index.entries,
    offers: index.offers,
    capabilityIds: index.capabilityIds,
    register: createRegister(desk),
    heartbeat: (beat) => answerBeat(state, index.get(beat.runnerId), beat),
    async deregister(id, { instanceId }) {
      const entry = index.get(id);
      if (entry === undefined) throw runnerNotFound(id);
      if (instanceId !== undefined && !isSameInstance(entry, instanceId))
        return { runnerId: id, deregistered: false };
      const { registration } = entry;
      // Whoever is registering in its place stays, whichever of the two is written first.
      if (desk.registering.has(identityOf(registration))) return { runnerId: id, deregistered: false };
      await stored(state, { kind: 'remove-runner', id });
      if (entry.registration !== registration || desk.registering.has(identityOf(registration)))
        return { runnerId: id, deregistered: false };
      entry.vitals.draining = true;
      entry.leaving = true;
      if (entry.active === 0) forget(entry);
      return { runnerId: id, deregistered: true };
    },
    restore: (id, record) => add(desk, { id, record, restored: true }),
    list: () => [...index.entries()].map(toRunnerMetadata),
    show(id) {
      const entry = index.get(id);
      if (entry === undefined) throw runnerNotFound(id);
      return toRunnerMetadata(entry);
    },
    forget,
  };
}
