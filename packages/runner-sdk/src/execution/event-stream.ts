import { isTerminalEvent, type CancelReason, type ExecutionEvent } from '@controlplane/contracts';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import { createDeferred, type Deferred } from '../util/deferred.js';
import type { EventSink, Execute, ExecutionRequest, Subscription } from './execute.js';

/** What {@link createExecute} stands on. */
export interface ExecuteSource {
  run(request: ExecutionRequest, sink: EventSink): Subscription;
  cancel(executionId: string, reason: CancelReason): unknown;
}

/** Follows one execution at the reader's own pace: what it has not read yet stays with the execution. */
function followExecution(
  source: ExecuteSource,
  request: ExecutionRequest,
  onEnd: () => void,
): AsyncIterator<ExecutionEvent> {
  let wake: Deferred<void> | undefined;
  let unread: ExecutionEvent[] = [];
  let nextSeq = 0;
  let ended = false;
  const subscription = source.run(request, () => wake?.resolve());

  const end = (): IteratorResult<ExecutionEvent> => {
    ended = true;
    wake?.resolve();
    subscription.detach();
    onEnd();
    return { done: true, value: undefined };
  };
  return {
    async next() {
      if (ended) return end();
      if (unread.length === 0) unread = subscription.eventsFrom(nextSeq);
      while (unread.length === 0) {
        wake = createDeferred();
        await wake.promise;
        if (ended) return end();
        unread = subscription.eventsFrom(nextSeq);
      }
      const event = unread.shift();
      if (!event) return end();
      nextSeq = event.seq + 1;
      ended = isTerminalEvent(event);
      return { done: false, value: event };
    },
    return: () => Promise.resolve(end()),
  };
}

/** Derives the seam {@link Execute} from the executor's core, which works with callbacks. */
export function createExecute(source: ExecuteSource): Execute {
  return (request, { signal } = {}) => ({
    [Symbol.asyncIterator]() {
      const cancel = (): void => {
        const reason: unknown = signal?.reason;
        source.cancel(request.executionId, reason instanceof ExecutionCancelled ? reason.kind : 'user');
      };
      const events = followExecution(source, request, () => signal?.removeEventListener('abort', cancel));
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
      return events;
    },
  });
}
