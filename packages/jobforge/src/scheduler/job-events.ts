import type { JobEvent } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { isAfter, parseEventId, type EventPosition } from '../model/job-event.js';
import type { JobEventsOptions } from '../model/operations.js';
import { toEvents } from './job-history.js';
import type { LiveState } from './live-state.js';
import { jobNotFound, reading } from './store-reads.js';

/** Events that wait for one subscriber. */
interface Inbox {
  /** The next one; undefined when there will be none, `quiet` when there was none for a while. */
  next(withinMs?: number): Promise<JobEvent | 'quiet' | undefined>;
  close(): void;
}

/** Sizes of events: one event may wait for many. */
const sizes = new WeakMap<JobEvent, number>();

function bytesOf(event: JobEvent): number {
  const known = sizes.get(event);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(JSON.stringify(event.data ?? null));
  sizes.set(event, size);
  return size;
}

const BEFORE_ALL: EventPosition = { attempt: -1, seq: 0 };

const ENDINGS: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.cancelled', 'job.expired']);

/** Waits to be roused. Resolves to whether the time was over before that. */
function wait(
  clock: Clock,
  withinMs: number | undefined,
  rousedBy: (rouse: () => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancelTimer = withinMs === undefined ? undefined : clock.after(withinMs, () => resolve(true));
    rousedBy(() => {
      cancelTimer?.();
      resolve(false);
    });
  });
}

function openInbox({ hub, limits, clock }: LiveState, jobId: string, signal: AbortSignal | undefined): Inbox {
  const waiting: JobEvent[] = [];
  let waitingBytes = 0;
  let over = false;
  let tooSlow = false;
  let wake: (() => void) | undefined;
  const rouse = (): void => {
    wake?.();
    wake = undefined;
  };
  const finish = (): void => {
    over = true;
    rouse();
  };
  const leave = hub.listen(jobId, {
    onEvent(event) {
      if (over) return;
      waitingBytes += bytesOf(event);
      const isHeavy = waiting.length > 0 && waitingBytes > limits.maxSubscriberBytes;
      if (waiting.length >= limits.maxSubscriberEvents || isHeavy) {
        tooSlow = true;
        return finish();
      }
      waiting.push(event);
      rouse();
    },
    onClose: finish,
  });
  signal?.addEventListener('abort', finish, { once: true });

  return {
    async next(withinMs) {
      let quiet = false;
      while (waiting.length === 0 && !over && !quiet)
        quiet = await wait(clock, withinMs, (roused) => (wake = roused));
      if (signal?.aborted) return undefined;
      if (waiting.length === 0 && !over) return 'quiet';
      const event = waiting.shift();
      if (event !== undefined) waitingBytes -= bytesOf(event);
      if (event === undefined && tooSlow) {
        throw new JobForgeError('SUBSCRIBER_TOO_SLOW', {
          message: `More than ${limits.maxSubscriberEvents} events or ${limits.maxSubscriberBytes} bytes of job "${jobId}" were waiting to be read; resume after the last one that was.`,
        });
      }
      return event;
    },
    close() {
      finish();
      leave();
      signal?.removeEventListener('abort', finish);
    },
  };
}

function readAfter(afterId: string | undefined): EventPosition {
  if (afterId === undefined || afterId === '') return BEFORE_ALL;
  const position = parseEventId(afterId);
  if (position !== undefined) return position;
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `"${afterId}" is no event id.`,
    details: [{ path: ['lastEventId'], message: 'expected <attempt>.<seq>, such as 1.4' }],
  });
}

/** Passes each event once, whether it comes from the store or live. */
function newsAfter(afterId: string | undefined): (event: JobEvent) => boolean {
  let last = readAfter(afterId);
  return (event) => {
    const position = parseEventId(event.id);
    if (position === undefined || !isAfter(position, last)) return false;
    last = position;
    return true;
  };
}

/** What has happened so far, and whether the job has ended with it. */
async function readPast(
  state: LiveState,
  id: string,
): Promise<{ events: readonly JobEvent[]; ended: boolean }> {
  // Taken before it is read: it may end meanwhile, and what it did is then told by neither.
  const live = state.jobs.get(id);
  const stored = await reading(state.store.loadJob(id));
  if (stored === undefined) throw jobNotFound(id);
  const history = await reading(state.store.loadHistory(stored.seq));
  return { events: toEvents(stored, history, live), ended: stored.end !== undefined };
}

/** How often the store is asked about a job that another JobForge has: at first, and where nothing comes. */
const FIRST_LOOK_MS = 50;
const LAST_LOOK_MS = 1_000;

/** What happens to a job: as it happens, or as the store tells where another JobForge has it. */
async function* happening(state: LiveState, id: string, inbox: Inbox): AsyncGenerator<JobEvent> {
  let lookMs = FIRST_LOOK_MS;
  for (;;) {
    const event = await inbox.next(state.sharing && lookMs);
    if (event === undefined) return;
    if (event !== 'quiet') {
      yield event;
      continue;
    }
    lookMs = Math.min(LAST_LOOK_MS, 1.5 * lookMs);
    if (state.jobs.has(id)) continue;
    const { events, ended } = await readPast(state, id);
    yield* events;
    if (ended) return;
  }
}

/** What has happened to a job and then what happens, each event once and in order, to its end. */
export async function* jobEvents(
  state: LiveState,
  id: string,
  options: JobEventsOptions = {},
): AsyncGenerator<JobEvent> {
  const { signal, follow = true } = options;
  const isNews = newsAfter(options.afterId);
  // Listening comes before reading, so that nothing falls between the two; what comes twice is left out by its id.
  const inbox = openInbox(state, id, signal);
  try {
    const { events, ended } = await readPast(state, id);
    for (const event of events) {
      if (signal?.aborted) return;
      if (isNews(event)) yield event;
    }
    if (ended || !follow) return;
    for await (const event of happening(state, id, inbox)) {
      if (isNews(event)) yield event;
      if (ENDINGS.has(event.type)) return;
    }
  } finally {
    inbox.close();
  }
}
