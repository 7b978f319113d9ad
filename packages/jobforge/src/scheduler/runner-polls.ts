import type { PollRequest } from '@controlplane/contracts';
import { holdPoll } from '../links/long-poll-connection.js';
import type { LinkRegistry } from '../links/link-registry.js';
import { serverFrame } from '../links/server-frames.js';
import type { SessionLink } from '../links/session-link.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { PollAnswer } from '../model/runner-connection.js';
import type { AttemptEndings } from './attempt-endings.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { isSameInstance } from './runner-entry.js';
import { runnerNotFound, type RunnerRegistry } from './runner-registry.js';

export interface PollParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly endings: AttemptEndings;
  readonly links: LinkRegistry;
}

/** A runner's link, where the runner is one that polls and this is its process. */
function pollingRunner(
  { registry, links }: PollParts,
  id: string,
  { instanceId }: PollRequest,
): { entry: RunnerEntry; link: SessionLink } {
  const entry = registry.get(id);
  if (entry === undefined || entry.leaving) throw runnerNotFound(id);
  const { delivery } = entry.registration;
  const link = links.session(entry.link);
  if (link === undefined || delivery?.kind !== 'long-poll') {
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `The runner "${entry.name}" registered with the delivery ${delivery?.kind ?? 'push'}: only one with long-poll polls.`,
    });
  }
  if (instanceId !== undefined && !isSameInstance(entry, instanceId)) {
    throw new JobForgeError('INSTANCE_MISMATCH', {
      message: `Another process (instance ${entry.registration.instanceId}) is registered as the runner "${entry.name}".`,
      remedy: 'Register again; that is refused while the other process is there.',
    });
  }
  return { entry, link };
}

/** A poll is a sign of life as good as a beat. */
function hear(state: LiveState, entry: RunnerEntry): void {
  entry.lastSeenAt = state.clock.now();
  Object.assign(entry.vitals, { lost: false, unheard: false });
  state.wake(entry);
}

/** The offers of an answer that its runner did not get go back. */
function takeBack({ endings }: PollParts, entry: RunnerEntry, executionIds: readonly string[]): void {
  for (const executionId of executionIds) {
    const execution = entry.executions.get(executionId);
    if (execution?.phase === 'open') endings.putBack(execution);
  }
}

const bodyOf = (frames: readonly string[]): string => `{"frames":[${frames.join(',')}]}`;

/** What a runner that polls is told while JobForge goes away. */
const FAREWELL: PollAnswer = {
  body: bodyOf([serverFrame.directives([{ kind: 'reconnect', afterMs: 1_000 }])]),
  last: true,
  undelivered: () => undefined,
};

/** Holds a poll until there is something to say to its runner, or until the time is over. */
export async function pollRunner(
  parts: PollParts,
  id: string,
  { signal, ...request }: PollRequest & { readonly signal?: AbortSignal | undefined },
): Promise<PollAnswer> {
  const { state } = parts;
  const { entry, link } = pollingRunner(parts, id, request);
  if (state.dismissed) return FAREWELL;
  return new Promise((resolve) => {
    const poll = holdPoll({
      link,
      maxOffers: request.maxExecutions ?? entry.slots,
      holdMs: state.limits.pollHoldMs,
      clock: state.clock,
      answer: ({ frames, offered }) =>
        resolve({
          body: bodyOf(frames),
          last: state.dismissed,
          undelivered: () => takeBack(parts, entry, offered),
        }),
    });
    const abandon = (): void => poll.close(1000, 'The caller has hung up.');
    signal?.addEventListener('abort', abandon, { once: true });
    if (signal?.aborted) return abandon();
    link.flush();
    hear(state, entry);
  });
}
