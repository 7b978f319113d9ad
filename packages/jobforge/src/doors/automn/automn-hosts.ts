import { AUTOMN_FRESH_MS, type AutomnRegistration } from '@controlplane/contracts/automn';
import type { Caller } from '../../model/caller.js';
import { createCalledRunner, type CalledRunner } from '../called-runner.js';
import type { DoorParts } from '../door.js';
import type { ForeignExecution } from '../foreign-execution.js';
import { createRunnersByIdentity } from '../foreign-runners.js';
import { announcementOf } from './announcement.js';
import type { Run, RunClient, RunTarget } from './run-client.js';
import { toRun } from './run.js';

/** A runner that has registered, as this process knows it. */
interface Host {
  readonly called: CalledRunner;
  /** What it serves jobs with; of the last registration alone, and kept nowhere else. */
  target: RunTarget;
  /** By execution. */
  readonly runs: Map<string, Run>;
  /** Nothing is read of what they print for now. */
  isPaused: boolean;
  isIdle(): boolean;
}

/** The runners behind the door, from one registration to the next. */
export interface AutomnHosts {
  /** Resolves once the runner is let in. Refuses as a registration does. */
  register(from: {
    readonly caller: Caller;
    readonly id: string;
    readonly registration: AutomnRegistration;
  }): Promise<void>;
}

interface State {
  readonly parts: DoorParts;
  readonly client: RunClient;
}

/** Nobody listens where it said: until it registers again, nothing is offered to it. */
function onUnreached({ parts }: State, { called, target, runs }: Host, reason: string): void {
  // Where it runs something else it is there.
  if (runs.size > 1) return;
  const { runnerId: runner } = target;
  parts.log('warn', 'a runner cannot be reached at the endpoint that it names', { runner, reason });
  called.leave();
}

function run(state: State, host: Host, execution: ForeignExecution): void {
  const { called, target, runs, isPaused } = host;
  const asked = toRun(execution.id, execution.request);
  const hears = {
    onBytes: called.onHeard,
    onUnreached: (reason: string) => onUnreached(state, host, reason),
    onClosed: () => void runs.delete(execution.id),
  };
  runs.set(execution.id, state.client.run({ execution, asked, target, isPaused, ...hears }));
}

function setPaused(host: Host, isPaused: boolean): void {
  host.isPaused = isPaused;
  for (const one of host.runs.values()) one[isPaused ? 'pause' : 'resume']();
}

/** There is no word for it but to hang up. */
function cancel({ called, runs }: Host, id: string): void {
  const execution = called.execution(id);
  const reason = execution?.cancelled ?? 'lease-lost';
  const message = 'Its runner was hung up on; a runner of Automn’s own goes on with the script.';
  execution?.end({ type: 'cancelled', reason, message });
  runs.get(id)?.stop();
  runs.delete(id);
}

function createHost(state: State): Host {
  const called = createCalledRunner({
    ...state.parts,
    // It registers again and again: what came of late is its answer.
    ...{ freshMs: AUTOMN_FRESH_MS, isRegisteredByCalls: true },
    side: {
      bufferedBytes: () => 0,
      pause: () => setPaused(host, true),
      resume: () => setPaused(host, false),
      run: (execution) => run(state, host, execution),
      cancel: (id) => cancel(host, id),
    },
    onGone() {
      for (const id of host.runs.keys()) cancel(host, id);
    },
  });
  const host: Host = {
    ...{ called, target: { endpoint: '', secret: '', runnerId: '' }, runs: new Map(), isPaused: false },
    isIdle: () => host.runs.size === 0 && called.isIdle(),
  };
  return host;
}

/** Who has proved to be the same is the same. */
function identityOf(caller: Caller, id: string): string {
  if (caller.kind === 'runner') return `runner\n${caller.runnerId}`;
  return caller.kind === 'enrollment' ? `token\n${caller.token}\n${id}` : `anyone\n${id}`;
}

export function createAutomnHosts(parts: DoorParts, client: RunClient): AutomnHosts {
  const hosts = createRunnersByIdentity(parts.clock, () => createHost({ parts, client }));
  return {
    register({ caller, id, registration }) {
      const host = hosts.of(identityOf(caller, id));
      const { endpoint, secret } = registration;
      return host.called.call({
        ...{ caller, announcement: announcementOf(id, registration) },
        // Before that, jobs of the one who is known would go to whoever names it.
        onAdmitted: () => void (host.target = { endpoint, secret, runnerId: id }),
      });
    },
  };
}
