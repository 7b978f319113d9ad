import type {
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
  RunnerHeartbeat,
  RunnerHeartbeatResponse,
  RunnerMetadata,
} from '@controlplane/contracts';
import type { RunnerAdmission } from '../access/runner-admission.js';
import type { LinkRegistry } from '../links/link-registry.js';
import type { Caller } from '../model/caller.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { settleDeparture, type HoldingsParts } from './held-executions.js';
import type { RunnerEntry } from './live-job.js';
import { createRegistration, stored, type Registration } from './registration.js';
import { answerBeat } from './runner-beats.js';
import { isSameInstance, toRunnerMetadata } from './runner-entry.js';
import { forgetMarks } from './runner-marks.js';
import { createRunnerIndex, type RunnerIndex } from './runner-index.js';

/** Every runner that is known, and how they come and go. */
export interface RunnerRegistry
  extends
    Pick<RunnerIndex, 'get' | 'entries' | 'offers' | 'offerOf' | 'isOffered' | 'capabilityIds'>,
    Pick<Registration, 'register' | 'restore'> {
  /** Without a caller where the runner proved itself before, over its socket. */
  heartbeat(beat: RunnerHeartbeat, caller?: Caller): RunnerHeartbeatResponse;
  deregister(id: string, request: RunnerDeregistrationRequest): Promise<RunnerDeregistrationResponse>;
  list(): RunnerMetadata[];
  show(id: string): RunnerMetadata;
  forget(entry: RunnerEntry): void;
  /** Lets a runner go that is somebody else's: what is kept of it stays. */
  release(entry: RunnerEntry): void;
}

export interface RegistryParts extends HoldingsParts {
  readonly links: LinkRegistry;
  readonly admission: RunnerAdmission;
}

/** A runner that has come with a token and proves itself with its secret now rests on that. */
function upholdStanding(admission: RunnerAdmission, entry: RunnerEntry, caller: Caller): void {
  if (caller.kind !== 'runner' || caller.runnerId !== entry.id || caller.secretId === undefined) return;
  if (entry.standing?.grounds.secretId === caller.secretId) return;
  entry.standing = admission.standingOf(entry.id, { secretId: caller.secretId });
  entry.askedToRenewAt = 0;
}

/** What a caller is told who names a runner that is not there. */
export function runnerNotFound(id: string): JobForgeError {
  return new JobForgeError('RUNNER_NOT_FOUND', { message: `There is no runner "${id}".` });
}

export function createRunnerRegistry(parts: RegistryParts): RunnerRegistry {
  const { state, links } = parts;
  const index = createRunnerIndex(state.rates);
  const registration = createRegistration({ ...parts, index });
  const release = (entry: RunnerEntry): void => {
    index.remove(entry);
    links.close(entry.link);
    // What waited for it has nobody to wait for.
    state.wake(entry);
  };
  const forget = (entry: RunnerEntry): void => {
    forgetMarks(state, entry);
    release(entry);
  };
  return {
    get: index.get,
    entries: index.entries,
    offers: index.offers,
    offerOf: index.offerOf,
    isOffered: index.isOffered,
    capabilityIds: index.capabilityIds,
    register: registration.register,
    restore: registration.restore,
    heartbeat(beat, caller) {
      const own = caller?.kind === 'runner' ? caller.runnerId : undefined;
      // A runner that names itself otherwise is known by its secret.
      const entry = index.get(beat.runnerId) ?? (own === undefined ? undefined : index.get(own));
      if (entry !== undefined && caller !== undefined) upholdStanding(parts.admission, entry, caller);
      return answerBeat(state, entry, beat);
    },
    async deregister(id, { instanceId }) {
      const entry = index.get(id);
      if (entry === undefined) throw runnerNotFound(id);
      const stays = { runnerId: id, deregistered: false };
      if (instanceId !== undefined && !isSameInstance(entry, instanceId)) return stays;
      const before = entry.registration;
      // Whoever is registering in its place stays, whichever of the two is written first.
      if (registration.isRegistering(before)) return stays;
      // What is disabled stays known, and is disabled still when it comes back.
      const staysKnown = entry.marks.disabled !== undefined;
      if (!staysKnown) await stored(state, { kind: 'remove-runner', id });
      if (entry.registration !== before || registration.isRegistering(before)) return stays;
      entry.vitals.draining = true;
      entry.leaving = true;
      settleDeparture(parts, entry);
      state.wake(entry);
      if (entry.active === 0 && !staysKnown) forget(entry);
      return { runnerId: id, deregistered: true };
    },
    list: () => [...index.entries()].map(toRunnerMetadata),
    show(id) {
      const entry = index.get(id);
      if (entry === undefined) throw runnerNotFound(id);
      return toRunnerMetadata(entry);
    },
    forget,
    release,
  };
}
