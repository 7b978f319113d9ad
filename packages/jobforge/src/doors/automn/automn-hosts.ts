import { isErrorCode } from '@controlplane/contracts';
import { AUTOMN_FRESH_MS, type AutomnRegistration } from '@controlplane/contracts/automn';
import type { Caller } from '../../model/caller.js';
import { JobForgeError } from '../../model/job-forge-error.js';
import type { DoorParts } from '../door.js';
import type { ForeignExecution } from '../foreign-execution.js';
import { createForeignRunner, type ForeignRunner } from '../foreign-runner.js';
import type { Announcement, Farewell, ForeignLine, ForeignSide } from '../foreign-side.js';
import { announcementOf } from './announcement.js';
import type { Run, RunClient } from './run-client.js';
import { toRun } from './run.js';

/** A runner that has registered, as this process knows it. */
interface Host {
  readonly id: string;
  readonly runner: ForeignRunner;
  /** What it serves jobs with; of the last registration alone, and kept nowhere else. */
  endpoint: string;
  secret: string;
  seenAt: number;
  /** How it announced itself when its line was made; nothing where that was refused. */
  announced: string;
  /** The one that was taken in. */
  line: ForeignLine | undefined;
  isJoining: boolean;
  /** Settles when its line is taken, or refused. */
  joining: Promise<void>;
  /** By execution. */
  readonly runs: Map<string, Run>;
  /** Nothing is read of what they print for now. */
  isPaused: boolean;
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
  readonly hosts: Map<string, Host>;
}

function errorOf({ error, reason }: Farewell): JobForgeError {
  if (error === undefined) return new JobForgeError('RUNNER_UNREACHABLE', { message: reason });
  const { code, message, remedy } = error;
  return isErrorCode(code)
    ? new JobForgeError(code, { message, remedy })
    : new JobForgeError('INTERNAL_ERROR');
}

function leave(host: Host, line: ForeignLine): void {
  if (host.line === line) host.line = undefined;
  line.onClose();
}

/** Nobody listens where it said: until it registers again, nothing is offered to it. */
function giveUp({ parts }: State, host: Host, reason: string): void {
  const { id, line, runs } = host;
  // Where it runs something else it is there.
  if (line === undefined || runs.size > 1) return;
  parts.log('warn', 'a runner cannot be reached at the endpoint that it names', { runner: id, reason });
  // What was handed back is told before.
  queueMicrotask(() => leave(host, line));
}

function run(state: State, host: Host, execution: ForeignExecution): void {
  const asked = toRun(execution.id, execution.request);
  const { endpoint, secret, id: runnerId, isPaused } = host;
  const target = { endpoint, secret, runnerId };
  const onBytes = (): void => host.line?.onHeard();
  const onClosed = (): void => void host.runs.delete(execution.id);
  const hears = { onBytes, onUnreached: (reason: string) => giveUp(state, host, reason), onClosed };
  host.runs.set(execution.id, state.client.run({ execution, asked, target, isPaused, ...hears }));
}

function setPaused(host: Host, isPaused: boolean): void {
  host.isPaused = isPaused;
  for (const run of host.runs.values()) run[isPaused ? 'pause' : 'resume']();
}

/** There is no word for it but to hang up. */
function cancel({ runner, runs }: Host, id: string): void {
  const execution = runner.execution(id);
  const reason = execution?.cancelled ?? 'lease-lost';
  const message = 'Its runner was hung up on; a runner of Automn’s own goes on with the script.';
  execution?.end({ type: 'cancelled', reason, message });
  runs.get(id)?.stop();
  runs.delete(id);
}

interface Joining {
  readonly onReady: () => void;
  readonly onEnd: (farewell: Farewell) => void;
}

function sideOf(state: State, host: Host, { onReady, onEnd }: Joining): ForeignSide {
  const { clock } = state.parts;
  return {
    bufferedBytes: () => 0,
    // It registers again and again: what came of late is its answer.
    ping() {
      if (clock.now() - host.seenAt < AUTOMN_FRESH_MS) queueMicrotask(() => host.line?.onHeard());
    },
    pause: () => setPaused(host, true),
    resume: () => setPaused(host, false),
    terminate: () => onEnd({ code: 1001, reason: 'cut off', error: undefined }),
    onReady,
    run: (execution) => run(state, host, execution),
    cancel: (id) => cancel(host, id),
    end: onEnd,
  };
}

/** Who comes, and what holds once it is let in. */
interface Admission {
  readonly caller: Caller;
  readonly announcement: Announcement;
  readonly admit: () => void;
}

/** Makes the line of a runner; its end is no end of what runs. */
function join(state: State, host: Host, from: Admission): Promise<void> {
  return new Promise((resolve, reject) => {
    let isIn = false;
    host.isJoining = true;
    const onReady = (): void => {
      Object.assign(host, { line, isJoining: false });
      from.admit();
      isIn = true;
      resolve();
    };
    const onEnd = (farewell: Farewell): void => {
      // One that is refused takes nothing from the one before.
      if (!isIn) Object.assign(host, { announced: '', isJoining: false });
      queueMicrotask(() => leave(host, line));
      reject(errorOf(farewell));
    };
    const line = host.runner.connect({ ...from, side: sideOf(state, host, { onReady, onEnd }) });
  });
}

function hostOf({ parts, hosts }: State, key: string, id: string): Host {
  const known = hosts.get(key);
  if (known !== undefined) return known;
  for (const [other, { line, runner }] of hosts)
    if (line === undefined && runner.isIdle()) hosts.delete(other);
  const host: Host = {
    ...{ id, runner: createForeignRunner(parts), endpoint: '', secret: '', seenAt: 0, announced: '' },
    ...{ line: undefined, isJoining: false, joining: Promise.resolve(), runs: new Map(), isPaused: false },
  };
  hosts.set(key, host);
  return host;
}

/** Who has proved to be the same is the same. */
function keyOf(caller: Caller, id: string): string {
  if (caller.kind === 'runner') return `runner\n${caller.runnerId}`;
  return caller.kind === 'enrollment' ? `token\n${caller.token}\n${id}` : `anyone\n${id}`;
}

export function createAutomnHosts(parts: DoorParts, client: RunClient): AutomnHosts {
  const state: State = { parts, client, hosts: new Map() };
  return {
    register({ caller, id, registration }) {
      const host = hostOf(state, keyOf(caller, id), id);
      // Before that, jobs of the one who is known would go to whoever names it.
      const admit = (): void => {
        const { endpoint, secret } = registration;
        Object.assign(host, { endpoint, secret, seenAt: parts.clock.now() });
        host.line?.onHeard();
      };
      const announcement = announcementOf(id, registration);
      const announced = JSON.stringify(announcement);
      if ((host.isJoining || host.line !== undefined) && host.announced === announced)
        return host.joining.then(admit);
      host.announced = announced;
      host.joining = join(state, host, { caller, announcement, admit });
      return host.joining;
    },
  };
}
