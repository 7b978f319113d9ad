import type { RunnerRegistrationRequest } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import type { JobForgeLimits } from '../model/limits.js';
import { createPushLink } from './push-link.js';
import type { RunnerLink } from './runner-link.js';

/** Makes the link that a registration asks for, and sends and closes all of them together. */
export interface LinkRegistry {
  open(registration: RunnerRegistrationRequest): RunnerLink;
  /** Closes one link. */
  close(link: RunnerLink): void;
  flushAll(): void;
  closeAll(): void;
}

/** A push runner's execute URL: what it says, else `execute` beside its health endpoint. */
export function executeUrlOf({ delivery, healthCheckEndpoint }: RunnerRegistrationRequest): string {
  const said = delivery?.kind === 'push' ? delivery.executeUrl : undefined;
  return said ?? new URL('execute', healthCheckEndpoint).href;
}

export function createLinkRegistry({
  clock,
  limits,
}: {
  readonly clock: Clock;
  readonly limits: JobForgeLimits;
}): LinkRegistry {
  const links = new Set<RunnerLink>();
  return {
    open(registration) {
      const link = createPushLink({
        executeUrl: executeUrlOf(registration),
        healthUrl: registration.healthCheckEndpoint ?? '',
        features: registration.features ?? [],
        maxBodyBytes: limits.maxBodyBytes,
        maxStreams: limits.maxStreamsPerRunner,
        clock,
      });
      links.add(link);
      return link;
    },
    close(link) {
      links.delete(link);
      link.close();
    },
    flushAll() {
      for (const link of links) link.flush();
    },
    closeAll() {
      for (const link of links) link.close();
      links.clear();
    },
  };
}
