import type { RunnerMetadata, RunnerMark } from '@controlplane/contracts';
import type { RunnerSecrets } from '../access/runner-secrets.js';
import type { LinkRegistry } from '../links/link-registry.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RunnerControlOperations } from '../model/runner-operations.js';
import type { DrainMark } from '../model/runner-status.js';
import type { AttemptEndings } from './attempt-endings.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { keepMarks } from './runner-marks.js';
import { toRunnerMetadata } from './runner-entry.js';
import { verifyRunner } from './runner-verification.js';
import { runnerNotFound, type RunnerRegistry } from './runner-registry.js';
import { stored } from './registration.js';
import { reading } from './store-reads.js';

export interface ControlParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly links: LinkRegistry;
  readonly endings: AttemptEndings;
  readonly access: { readonly secrets: Pick<RunnerSecrets, 'forget'> };
}

function found({ registry }: ControlParts, id: string): RunnerEntry {
  const entry = registry.get(id);
  if (entry === undefined) throw runnerNotFound(id);
  return entry;
}

function markOf({ state }: ControlParts, reason: string | undefined): RunnerMark {
  const since = new Date(state.clock.now()).toISOString();
  return reason === undefined ? { since } : { since, reason };
}

/** Why a runner cannot be deleted as it is; undefined where it can. */
function useOf(entry: RunnerEntry): string | undefined {
  if (entry.active > 0) return `runs ${entry.active} execution${entry.active === 1 ? '' : 's'}`;
  return toRunnerMetadata(entry).status === 'offline' ? undefined : 'is connected';
}

/** Ends what runs on a runner that is taken away: it is told to stop, and its jobs go the way of every lost runner's. */
function abandon({ endings }: ControlParts, entry: RunnerEntry): void {
  for (const execution of [...entry.executions.values()]) {
    const { executionId, token } = execution.lease;
    entry.link.cancel(executionId, { reason: 'lease-lost', leaseToken: token });
    endings.lost(execution, `${entry.name} was deleted.`);
  }
}

/** Whether a runner is nowhere any more: one that is with another JobForge has its row in the store. */
async function hasLeft({ state, registry }: ControlParts, id: string): Promise<boolean> {
  if (registry.get(id) !== undefined) return false;
  if (state.sharing === undefined) return true;
  const known = await reading(state.store.loadRunners());
  return !known.some((runner) => runner.id === id);
}

async function deleteRunner(parts: ControlParts, id: string, force: boolean): Promise<void> {
  const { state, registry, access } = parts;
  // Of one that has left, what it could come back with may be there still.
  if ((await hasLeft(parts, id)) && (await access.secrets.forget(id))) return;
  const entry = found(parts, id);
  const use = useOf(entry);
  if (use !== undefined && !force)
    throw new JobForgeError('RUNNER_IN_USE', { message: `The runner "${entry.name}" ${use}.` });
  const before = entry.registration;
  const { leaving } = entry;
  const { draining } = entry.vitals;
  // Nothing is placed on it while its row is being removed.
  entry.leaving = true;
  entry.vitals.draining = true;
  state.wake(entry);
  try {
    await stored(state, { kind: 'remove-runner', id });
  } catch (error) {
    Object.assign(entry, { leaving });
    entry.vitals.draining = draining;
    state.wake(entry);
    throw error;
  }
  if (entry.registration !== before)
    throw new JobForgeError('RUNNER_IN_USE', {
      message: `The runner "${entry.name}" has registered again meanwhile.`,
    });
  abandon(parts, entry);
  registry.forget(entry);
  await access.secrets.forget(id);
}

/** What operators do to runners. */
export function createRunnerControls(parts: ControlParts): RunnerControlOperations {
  const { state, links } = parts;
  const mark = async (entry: RunnerEntry, marks: Partial<RunnerEntry['marks']>): Promise<RunnerMetadata> => {
    await keepMarks(state, entry, { ...entry.marks, ...marks });
    state.wake();
    return toRunnerMetadata(entry);
  };
  return {
    async drainRunner(id, { reason }) {
      const entry = found(parts, id);
      const { instanceId } = entry.registration;
      const drain: DrainMark = { ...markOf(parts, reason), ...(instanceId && { instanceId }) };
      const shown = await mark(entry, { drain });
      links.session(entry.link)?.instruct({ kind: 'drain' });
      return shown;
    },
    disableRunner: async (id, { reason }) => mark(found(parts, id), { disabled: markOf(parts, reason) }),
    enableRunner: async (id) => mark(found(parts, id), { disabled: undefined, drain: undefined }),
    verifyRunner: async (id) => verifyRunner(state, found(parts, id)),
    async deleteRunner(id, { force }) {
      await deleteRunner(parts, id, force === 'true');
      return { runnerId: id, deleted: true };
    },
  };
}
