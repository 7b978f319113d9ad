import { setTimeout as wait } from 'node:timers/promises';
import { JobEvent } from '@controlplane/contracts';
import { createParser } from 'eventsource-parser';
import { CliFailure, unreachable } from './cli-failure.js';
import { EXIT } from './exit-code.js';

export interface JobEventStreamOptions {
  /** False: end where the job stands. */
  readonly follow: boolean;
  /** Ends the stream with an error. */
  readonly signal?: AbortSignal | undefined;
  /** Opens the stream after an event; throws where nobody answers. */
  readonly open: (afterId: string | undefined, signal: AbortSignal) => Promise<Response>;
  /** Says why an answer is no stream. */
  readonly refusalOf: (reply: Response) => Promise<Error>;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4_000;
/** Attempts in a row that may find nobody: about half a minute, enough for a restart. */
const ATTEMPTS = 10;

const ENDING: ReadonlySet<JobEvent['type']> = new Set([
  'job.completed',
  'job.failed',
  'job.cancelled',
  'job.expired',
]);

interface Place {
  /** The last event seen. */
  afterId: string | undefined;
  /** Attempts in a row that brought no event. */
  failures: number;
  ended: boolean;
}

/** Yields a job's events until it has ended; where the stream breaks, goes on after the last one seen. */
export async function* jobEventStream(options: JobEventStreamOptions): AsyncGenerator<JobEvent> {
  const leaving = new AbortController();
  const signal = options.signal ? AbortSignal.any([leaving.signal, options.signal]) : leaving.signal;
  const place: Place = { afterId: undefined, failures: 0, ended: false };
  try {
    for (;;) {
      try {
        yield* onePass(options, place, signal);
      } catch (error) {
        const first = place.afterId === undefined && place.failures === 0;
        if (first || signal.aborted || isFinal(error) || place.failures >= ATTEMPTS) throw error;
      }
      if (place.ended) return;
      await wait(Math.min(FIRST_WAIT_MS * 2 ** place.failures, LONGEST_WAIT_MS), undefined, { signal });
      place.failures += 1;
    }
  } finally {
    leaving.abort();
  }
}

async function* onePass(
  { follow, open, refusalOf }: JobEventStreamOptions,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const reply = await open(place.afterId, signal);
  if (reply.status === 204) place.ended = true;
  if (place.ended) return;
  if (reply.status !== 200 || !reply.body) throw await refusalOf(reply);
  for await (const event of eventsOf(reply.body)) {
    place.afterId = event.id;
    place.failures = 0;
    place.ended = ENDING.has(event.type);
    yield event;
    if (place.ended) return;
  }
  if (!follow) place.ended = true;
  else if (place.failures >= ATTEMPTS)
    throw unreachable('The event stream ends again and again without an event.');
}

// A refusal stays one however often it is asked for; silence may end.
function isFinal(error: unknown): boolean {
  return error instanceof CliFailure && error.exitCode !== EXIT.unreachable;
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<JobEvent> {
  const ready: JobEvent[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      const event = JobEvent.safeParse(JSON.parse(data));
      if (event.success) ready.push(event.data);
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* ready.splice(0);
  }
}
