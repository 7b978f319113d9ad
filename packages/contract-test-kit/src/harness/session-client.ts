import { createLinkClient } from './dial-in/link-client.js';
import { createRunnerClient, type ClientOptions, type RunnerClient } from './runner-client.js';
import type { RunnerSession } from './runner-session.js';

/** A client that speaks to a runner the way that runner is reached. */
export function createSessionClient(
  { urls, controlPlane, delivery }: RunnerSession,
  options: Omit<ClientOptions, 'urls'>,
): RunnerClient {
  return controlPlane && delivery !== 'push'
    ? createLinkClient({ controlPlane, ...options })
    : createRunnerClient({ urls, ...options });
}
