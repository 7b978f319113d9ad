import type { ServerResponse } from 'node:http';
import type { HostedRunner } from '../host.js';

/** Executions that somebody waits for. */
export interface FollowedExecutions {
  /**
   * An answer follows an execution, which is ended when the last one that does so is gone: nobody can ask for its result
   * again.
   * @returns tells that the answer needs it no more
   */
  follow(executionId: string, response: ServerResponse): () => void;
  count(): number;
}

/** Makes the set, empty. */
export function createFollowedExecutions({ cancel }: Pick<HostedRunner, 'cancel'>): FollowedExecutions {
  const followers = new Map<string, Set<ServerResponse>>();
  return {
    count: () => followers.size,
    follow(executionId, response) {
      const answers = followers.get(executionId) ?? new Set();
      followers.set(executionId, answers.add(response));
      const leave = (): boolean => {
        if (!answers.delete(response) || answers.size > 0) return false;
        followers.delete(executionId);
        return true;
      };
      response.on('close', () => {
        if (leave()) cancel(executionId, 'user');
      });
      return leave;
    },
  };
}
