import { RunnerError } from '../errors/runner-error.js';
import type { Host, HostedRunner, HostSession, HostStatus } from '../hosts/host.js';
import type { RunnerStateHolder } from './runner-state.js';

/** The sessions of one runner at all its hosts, as one. */
export interface HostSessions {
  /** The id at the first host that gave one. */
  readonly runnerId: string | undefined;
  /** Whether a host needs the runner's own endpoints. */
  readonly listens: boolean;
  /** Whether a host listens at this port by itself; 0 is any free one, and nobody's. */
  readonly isTaken: (port: number) => boolean;
  /** The session that work is pushed by, when there is one. */
  readonly pushed: HostSession | undefined;
  start(): void;
  /** Resolves once connected to every host that does not refuse; rejects when all refuse or the runner stops. */
  readonly ready: Promise<void>;
  /** Why work may not arrive, named by host where there are several; empty when it does. */
  reasons(): string[];
  /** The state of each session, by the host's name. */
  statuses(): ReadonlyArray<HostStatus & { readonly host: string }>;
  announceDrain(): Promise<void>;
  leave(reason: string): Promise<void>;
}

/** What sessions are made of. */
export interface HostSessionsOptions {
  readonly hosts: readonly Host[];
  readonly state: RunnerStateHolder;
  /** The runner as a host sees it; `changed` is told of every change of a session's status. */
  readonly runnerFor: (changed: () => void) => HostedRunner;
}

async function whenReady(sessions: readonly HostSession[]): Promise<void> {
  const settled = await Promise.allSettled(sessions.map(({ ready }) => ready));
  const failed = settled.filter((result) => result.status === 'rejected');
  const first = failed[0];
  if (first && failed.length === settled.length) throw first.reason;
}

/** The runner is registered when every host that can have it has it. */
function followStates(sessions: readonly HostSession[], state: RunnerStateHolder): void {
  const states = sessions.map(({ status }) => status.state);
  const open = states.filter((one) => one !== 'refused');
  if (open.length === 0) state.moveTo('refused');
  else state.moveTo(open.every((one) => one === 'connected') ? 'registered' : 'registering');
}

/** Two control planes have one name: the second is told apart as `controlplane#2`. */
function namesOf(hosts: readonly Host[]): string[] {
  return hosts.map(({ name }, index) => {
    const before = hosts.slice(0, index).filter((host) => host.name === name).length;
    return before === 0 ? name : `${name}#${before + 1}`;
  });
}

/** Makes the sessions; nothing is sent before they are started. */
export function attachHosts({ hosts, state, runnerFor }: HostSessionsOptions): HostSessions {
  const listening = hosts.filter(({ listens }) => listens);
  if (listening.length > 1) {
    throw new RunnerError(
      'INVALID_OPTION',
      `option "hosts" has ${listening.length} hosts that push work to the runner; its execute endpoint can belong to one. Give the others delivery "websocket" or "long-poll".`,
    );
  }
  const sessions: HostSession[] = [];
  let isStarted = false;
  const runner = runnerFor(() => {
    if (isStarted) followStates(sessions, state);
  });
  sessions.push(...hosts.map((host) => host.attach(runner)));
  const ready = whenReady(sessions);
  ready.catch(() => undefined);
  const named = namesOf(hosts).map((name, index) => ({ name, session: sessions[index] }));
  return {
    get runnerId() {
      return sessions.find(({ status }) => status.runnerId !== undefined)?.status.runnerId;
    },
    listens: listening.length > 0,
    isTaken: (port) => port !== 0 && hosts.some((host) => host.port === port),
    pushed: sessions.find((_session, index) => hosts[index]?.listens),
    start() {
      isStarted = true;
      state.moveTo('registering');
      for (const session of sessions) session.start();
    },
    ready,
    reasons() {
      if (state.current === 'draining' || state.current === 'stopped') return ['draining'];
      return named.flatMap(({ name, session }) => {
        const found = session?.reasons() ?? [];
        return hosts.length === 1 ? found : found.map((reason) => `${name}: ${reason}`);
      });
    },
    statuses: () =>
      named.flatMap(({ name, session }) => (session ? [{ host: name, ...copyOf(session.status) }] : [])),
    async announceDrain() {
      await Promise.all(sessions.map((session) => session.announceDrain()));
    },
    async leave(reason) {
      await Promise.all(sessions.map((session) => session.leave(reason)));
    },
  };
}

/** Statuses may be made of getters, which a spread of the session's own object would not read twice. */
function copyOf({ state, runnerId, delivery, unacknowledged, missed, refusal }: HostStatus): HostStatus {
  return { state, runnerId, delivery, unacknowledged, missed, refusal };
}
