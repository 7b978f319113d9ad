import { DEFAULTS, type Limits, type WritingEvent } from '@controlplane/contracts';
import type { ExecutionRequest, Subscription } from '../../execution/execute.js';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import type { HostedRunner, Run } from '../host.js';
import type { ControlPlaneClient } from './client.js';
import { createFileCarrier } from './file-carrier.js';

const BOUNDS = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };

/** What stands around the `run` of a runner that work is pushed to. */
export interface AnnouncingParts {
  readonly runner: HostedRunner;
  readonly client: ControlPlaneClient;
  /** What the registration was answered with; undefined before. */
  readonly limits: () => Limits | undefined;
}

/**
 * The runner's `run` for work that is pushed: an execution that is about to write says so by a request of its own
 * beside its stream, because a stream has no acknowledgements, and may write once that was answered. Files go by
 * requests of their own too.
 * @param signal - ends what is under way
 */
export function createAnnouncingRun({ runner, client, limits }: AnnouncingParts, signal: AbortSignal): Run {
  const { clock, random } = runner;
  const leaseTokenOf = ({ leaseToken }: ExecutionRequest): string | undefined => leaseToken;
  const files = createFileCarrier({ runner, client, limits, leaseTokenOf });

  async function announce(
    request: ExecutionRequest,
    event: WritingEvent,
    subscription: () => Subscription,
  ): Promise<void> {
    const { executionId, leaseToken } = request;
    const body = { ...(leaseToken === undefined ? {} : { leaseToken }), events: [event] };
    for (let attempt = 0; !signal.aborted; attempt++) {
      const answer = await client.recordEvents(executionId, body, signal);
      if (answer.ok) return subscription().acknowledge(answer.value.acknowledgedSeq);
      if (answer.code === 'LEASE_SUPERSEDED' || answer.code === 'EXECUTION_NOT_FOUND') {
        return void runner.cancel(executionId, 'lease-lost', leaseToken);
      }
      await sleep(clock, Math.max(backoffMs(attempt, BOUNDS, random()), answer.retryAfterMs ?? 0), signal);
    }
  }

  return (request, sink, options) => {
    // Who offers work without a lease does not keep one either, and knows no such request.
    if (request.leaseToken === undefined) return runner.run(request, sink, options);
    const subscription: Subscription = runner.run(
      request,
      (event, dataJson) => {
        // The first reader alone: a repeated delivery reads again what was announced.
        if (event.type === 'writing') void announce(request, event, () => subscription);
        sink(event, dataJson);
      },
      { ...options, acknowledges: true, files },
    );
    return subscription;
  };
}
