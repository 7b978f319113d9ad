import type { Limits, RunnerRegistrationRequest, RunnerRegistrationResponse } from '@controlplane/contracts';
import { createDispatchSigner, newSigningKey, type DispatchSigner } from '../links/dispatch-signature.js';
import type { LinkRegistry } from '../links/link-registry.js';
import type { LinkConnection } from '../links/session-link.js';
import type { RunnerAdmission } from '../access/runner-admission.js';
import type { Caller } from '../model/caller.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RunnerStanding } from '../model/runner-standing.js';
import type { StoreOperation } from '../store/store.js';
import { createSchemaChecks } from './input-check.js';
import { settleHoldings, type HoldingsParts } from './held-executions.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { newId } from './new-id.js';
import { createRegistrationClaims } from './registration-claims.js';
import {
  createRunnerEntry,
  identityOf,
  isDialIn,
  isSameInstance,
  type NewRunner,
  type RunnerRecord,
} from './runner-entry.js';
import { checkArrival, negotiate, schemaWarnings } from './registration-check.js';
import type { RunnerIndex } from './runner-index.js';
import { outliveDrain } from './runner-marks.js';
import { sharedRunnerId, type Sharing } from './sharing.js';
import { createTurns } from './turns.js';

/** Where a registration came from, when it came over a connection of its own. */
export interface Arrival {
  readonly connection: LinkConnection;
  /** Whether it is still there. */
  readonly isOpen: () => boolean;
  /** Told before anything else is said over the connection. */
  readonly ready: (response: RunnerRegistrationResponse, entry: RunnerEntry) => void;
}

export interface RegistrationParts extends HoldingsParts {
  readonly links: LinkRegistry;
  readonly index: RunnerIndex;
  readonly admission: RunnerAdmission;
}

/** Takes runners in: those that come for the first time, and those that come back. */
export interface Registration {
  register(
    request: RunnerRegistrationRequest,
    from?: { readonly arrival?: Arrival | undefined; readonly caller?: Caller | undefined },
  ): Promise<RunnerRegistrationResponse>;
  /** Puts a runner back that the store knows. */
  restore(id: string, record: RunnerRecord): void;
  /** Whether a registration of this runner is being written. */
  isRegistering(registration: RunnerRegistrationRequest): boolean;
}

interface Desk extends RegistrationParts {
  checksOf(registration: RunnerRegistrationRequest): Checked;
}

/** What is checked of a runner's capabilities: what goes there, and what comes back. */
type Checked = Pick<RunnerEntry, 'checks' | 'outputs'>;

function createChecksOf({ log }: LiveState): Desk['checksOf'] {
  const [inputs, outputs] = [createSchemaChecks('input'), createSchemaChecks('output')];
  return ({ name: runner, capabilities }) => {
    const warn = (words: string) => (capability: string, problem: string) =>
      log('warn', words, { runner, capability, problem });
    return {
      checks: inputs.of(
        capabilities.map(({ id, inputSchema: schema }) => ({ id, schema })),
        warn('an input schema cannot be compiled: inputs of this capability are not checked at submit'),
      ),
      outputs: outputs.of(
        capabilities.map(({ id, outputSchema: schema }) => ({ id, schema })),
        warn(
          'an output schema cannot be compiled: results of this capability are checked by its runner alone',
        ),
      ),
    };
  };
}

/** Whether the connection that a runner has serves its new registration too. */
function keepsLink(before: RunnerRegistrationRequest, after: RunnerRegistrationRequest): boolean {
  const connection = (registration: RunnerRegistrationRequest): string => {
    const { delivery, healthCheckEndpoint, features } = registration;
    return JSON.stringify(isDialIn(registration) ? delivery : [delivery, healthCheckEndpoint, features]);
  };
  return connection(before) === connection(after);
}

function add(
  desk: Desk,
  { id, record, standing, restored }: Pick<NewRunner, 'id' | 'record' | 'standing' | 'restored'>,
): RunnerEntry {
  const { state, links } = desk;
  const signer =
    record.signingKey === undefined ? undefined : createDispatchSigner(record.signingKey, state.clock);
  const link = links.open(record.registration, signer);
  const checked = desk.checksOf(record.registration);
  const now = state.clock.now();
  const entry = createRunnerEntry({ id, record, link, signer, ...checked, standing, restored, now });
  desk.index.add(entry);
  state.wake();
  return entry;
}

/** Another process answers for a runner while the one that is registered is still there. */
async function refuseSecond(entry: RunnerEntry, { instanceId }: RunnerRegistrationRequest): Promise<void> {
  const { link, vitals, registration } = entry;
  if (entry.leaving || isSameInstance(entry, instanceId)) return;
  // A process whose main thread is blocked cannot answer, yet its watchdog does.
  const isThere = (vitals.stalledMs > 0 && !vitals.lost) || (await link.probe()) !== undefined;
  if (!isThere) return;
  throw new JobForgeError('ALREADY_CONNECTED', {
    message: `Another process (instance ${registration.instanceId}) is connected as the runner "${entry.name}".`,
  });
}

/** The key before is not forgotten at once: requests signed with it are on their way. */
function renewSigner(
  { signer }: RunnerEntry,
  { signingKey }: RunnerRecord,
  { clock }: LiveState,
): DispatchSigner | undefined {
  if (signingKey === undefined) return undefined;
  if (signer === undefined) return createDispatchSigner(signingKey, clock);
  signer.rotate(signingKey);
  return signer;
}

/** A registration on its way in. */
interface Joining {
  readonly record: RunnerRecord;
  readonly held: readonly string[] | undefined;
  readonly arrival: Arrival | undefined;
  readonly standing: RunnerStanding | undefined;
}

function renew(desk: Desk, entry: RunnerEntry, { record, held, arrival, standing }: Joining): void {
  const { state, links, index } = desk;
  const { registration, registeredAt } = record;
  outliveDrain(state, entry, registration);
  const before = entry.registration;
  const relinked = !keepsLink(before, registration);
  const replaced = entry.link;
  entry.signer = renewSigner(entry, record, state);
  if (relinked) entry.link = links.open(registration, entry.signer);
  // Over the connection that it has, a runner says nothing of what is on its way to it.
  const stayed = arrival !== undefined && links.session(replaced)?.connection() === arrival.connection;
  if (!stayed)
    settleHoldings(desk, entry, {
      before,
      after: registration,
      replaced: relinked ? replaced : undefined,
      held: held === undefined ? undefined : new Set(held),
    });
  if (relinked) links.close(replaced);
  index.rename(entry, () =>
    Object.assign(entry, { registration, registeredAt, ...desk.checksOf(registration) }),
  );
  Object.assign(entry, {
    lastSeenAt: state.clock.now(),
    nextProbeAt: 0,
    failures: 0,
    leaving: false,
    distrusted: false,
    standing,
    barred: false,
    askedToRenewAt: 0,
  });
  Object.assign(entry.vitals, {
    reported: 'healthy',
    lost: false,
    unheard: false,
    draining: false,
    unreachable: false,
    stalledMs: 0,
    blockedUntil: 0,
    blockedFor: 'busy',
  });
  state.wake();
}

export function stored({ commit }: LiveState, operation: StoreOperation): Promise<void> {
  return new Promise((resolve, reject) => {
    commit.attempt(operation, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

function putRunner(id: string, record: RunnerRecord): StoreOperation {
  return { kind: 'put-runner', id, record: JSON.stringify(record) };
}

/** Where registrations are shared, an id that every replica would give it. */
function newRunnerId({ sharing }: LiveState, identity: string): string {
  return sharing === undefined ? newId() : sharedRunnerId(identity);
}

/** Has a runner leave whichever replica it is with. */
function bringHere(
  { state, index }: Desk,
  sharing: Sharing,
  { identity, id }: { readonly identity: string; readonly id: string | undefined },
): Promise<void> {
  return sharing.welcome(id ?? index.byIdentity(identity)?.id ?? newRunnerId(state, identity));
}

function keyOf(registration: RunnerRecord['registration']): { readonly signingKey?: string } {
  const isSigned = !isDialIn(registration) && registration.features?.includes('signed');
  return isSigned ? { signingKey: newSigningKey() } : {};
}

/** The sizes that a runner keeps to. */
function limitsOf({ limits }: LiveState): Limits {
  const { maxBodyBytes, maxLogBytes, maxInlineBytes, maxPayloadBytes, maxArtifactBytes } = limits;
  return { maxBodyBytes, maxLogBytes, maxInlineBytes, maxPayloadBytes, maxArtifactBytes };
}

type Welcome = Omit<RunnerRegistrationResponse, 'signingKey'>;

export function createRegistration(parts: RegistrationParts): Registration {
  const { state, index } = parts;
  const desk: Desk = { ...parts, checksOf: createChecksOf(state) };
  const claims = createRegistrationClaims(index, (identity) => newRunnerId(state, identity));
  const turns = createTurns();
  const { heartbeatIntervalMs, leaseMs } = state.limits;

  const join = (id: string, joining: Joining): RunnerEntry => {
    const known = index.get(id);
    const entry = known ?? add(desk, { id, ...joining, restored: false });
    if (known !== undefined) renew(desk, known, joining);
    parts.links.session(entry.link)?.expect();
    return entry;
  };
  const welcomeOf = (runnerId: string, { registration, registeredAt }: RunnerRecord): Welcome => ({
    runnerId,
    registeredAt: new Date(registeredAt).toISOString(),
    heartbeatIntervalMs,
    leaseMs,
    limits: limitsOf(state),
    contractVersion: negotiate(registration.contractVersion),
  });
  const admit: Registration['register'] = async ({ held, ...registration }, { arrival, caller } = {}) => {
    const identity = identityOf(registration);
    const asked = parts.admission.admit(caller, registration);
    // What is known at once is not waited for: the registration takes its place among what is being written.
    const admitted = asked instanceof Promise ? await asked : asked;
    // Only who may come is taken from where it was.
    if (state.sharing !== undefined)
      await bringHere(desk, state.sharing, { identity, id: admitted.runnerId });
    const known = admitted.runnerId === undefined ? index.byIdentity(identity) : index.get(admitted.runnerId);
    if (known?.link.confirmsAccepts) await refuseSecond(known, registration);
    if (arrival?.isOpen() === false) throw new JobForgeError('RUNNER_UNREACHABLE');
    const key = keyOf(registration);
    const registeredAt = state.clock.now();
    return claims.hold({ identity, id: admitted.runnerId }, async (runnerId) => {
      // What it proves itself with comes first: a runner that is known and has none could not come back.
      const handed = admitted.welcome(runnerId);
      const { standing, grounds, ...credentials } = handed instanceof Promise ? await handed : handed;
      const record: RunnerRecord = { registration, registeredAt, ...key, ...(grounds && { grounds }) };
      await stored(state, putRunner(runnerId, record));
      const entry = join(runnerId, { record, held, arrival, standing });
      const warnings = schemaWarnings(registration, { input: entry.checks, output: entry.outputs });
      const told = warnings.length > 0 ? { warnings } : {};
      const response = { ...welcomeOf(runnerId, record), ...key, ...credentials, ...told };
      arrival?.ready(response, entry);
      return response;
    });
  };

  return {
    async register(registration, from = {}) {
      negotiate(registration.contractVersion);
      checkArrival(registration, from.arrival);
      if (!isDialIn(registration)) return admit(registration, from);
      // Of two processes that come at once, the second is to meet the first.
      return turns.take(identityOf(registration), () => admit(registration, from));
    },
    restore(id, record) {
      const standing = parts.admission.standingOf(id, record.grounds);
      add(desk, { id, record, standing, restored: true });
    },
    isRegistering: (registration) => claims.isHeld(identityOf(registration)),
  };
}
