import type { RunnerRegistrationRequest } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import type { JobForgeLimits } from '../model/limits.js';
import type { DispatchSigner } from './dispatch-signature.js';
import { createPushLink } from './push-link.js';
import type { RunnerLink } from './runner-link.js';
import { createSessionLink, type SessionLink } from './session-link.js';

/** Makes the link that a registration asks for, and sends and closes all of them together. */
export interface LinkRegistry {
  open(registration: RunnerRegistrationRequest, signer?: DispatchSigner): RunnerLink;
  /** A link as that of a runner that dials in; undefined where the runner is dialled. */
  session(link: RunnerLink): SessionLink | undefined;
  /** Closes one link. */
  close(link: RunnerLink): void;
  /** Sends what any link has to say: most of many have nothing. */
  flushAll(): void;
  /** Tells the runners that dial in to come again after a while, and lets go of them. */
  dismissAll(afterMs: number): void;
  closeAll(): void;
}

/** A push runner's execute URL: what it says, else `execute` beside its health endpoint. */
export function executeUrlOf({ delivery, healthCheckEndpoint }: RunnerRegistrationRequest): string {
  const said = delivery?.kind === 'push' ? delivery.executeUrl : undefined;
  return said ?? new URL('execute', healthCheckEndpoint).href;
}

export interface LinkRegistryOptions {
  readonly clock: Clock;
  readonly limits: JobForgeLimits;
}

export function createLinkRegistry({ clock, limits }: LinkRegistryOptions): LinkRegistry {
  const sessions = new Map<RunnerLink, SessionLink>();
  const pushed = new Set<RunnerLink>();
  /** Those that have something to say. */
  const due = new Set<RunnerLink>();

  const openSession = (kind: 'websocket' | 'long-poll'): SessionLink => {
    const link: SessionLink = createSessionLink({
      maxBatchBytes: limits.maxBodyBytes,
      // Between two polls a runner is there all the same.
      lingerMs: kind === 'long-poll' ? limits.heartbeatIntervalMs : -1,
      clock,
      onDue: () => void due.add(link),
    });
    sessions.set(link, link);
    return link;
  };
  const openPush = (
    registration: RunnerRegistrationRequest,
    signer: DispatchSigner | undefined,
  ): RunnerLink => {
    const link: RunnerLink = createPushLink({
      executeUrl: executeUrlOf(registration),
      healthUrl: registration.healthCheckEndpoint ?? '',
      features: registration.features ?? [],
      maxBodyBytes: limits.maxBodyBytes,
      maxStreams: limits.maxStreamsPerRunner,
      clock,
      signer,
      onDue: () => void due.add(link),
    });
    pushed.add(link);
    return link;
  };
  const everyLink = (): RunnerLink[] => [...pushed, ...sessions.values()];

  return {
    open(registration, signer) {
      const kind = registration.delivery?.kind ?? 'push';
      return kind === 'push' ? openPush(registration, signer) : openSession(kind);
    },
    session: (link) => sessions.get(link),
    close(link) {
      pushed.delete(link);
      sessions.delete(link);
      link.close();
      due.delete(link);
    },
    flushAll() {
      const all = [...due];
      due.clear();
      for (const link of all) if (link.flush()) due.add(link);
    },
    dismissAll(afterMs) {
      for (const link of sessions.values()) link.dismiss(afterMs);
    },
    closeAll() {
      for (const link of everyLink()) link.close();
      pushed.clear();
      sessions.clear();
      due.clear();
    },
  };
}
