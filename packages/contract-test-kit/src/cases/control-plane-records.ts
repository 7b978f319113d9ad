import { DEFAULTS, ErrorEnvelope, JobLogEntry, NDJSON, type JobResponse } from '@controlplane/contracts';
import { memberOf, must, mustReply } from '../case/expect.js';
import {
  begin,
  jobWhere,
  mustComplete,
  mustOffer,
  type PlaneCase,
  type PlaneContext,
  type Running,
} from '../case/plane-case.js';
import { NotEvaluable } from '../case/verdict.js';
import { NoAnswer, type Exchange } from '../harness/exchange.js';
import { failure, playedEvent, success } from '../harness/played/played-runner.js';
import { parseJson } from '../harness/recorded-message.js';

const PIECE_BYTES = 5_000;
/** Log events of one message. */
const PIECES = 10;
/** A cap above this would take too long to fill. */
const LARGEST_CAP = 1024 * 1024;
/** What stands for what was left out takes bytes too. */
const MARK_BYTES = 1_024;
const OVER_BODY_BYTES = 5 * 1024 * 1024;
const OVER_BODY_TRIES = 3;
const ARTIFACT = 'kit-file.txt';
const CONTENT = 'what the kit has left, with ümlauts and \u{1F600}';

/** Runs a job that logs these texts, and reads its log back. */
async function logged(
  context: PlaneContext,
  { runner, offer, id }: Running,
  texts: readonly string[],
): Promise<{ readonly exchange: Exchange; readonly entries: readonly JobLogEntry[] }> {
  const events = texts.map((message, index) =>
    playedEvent(offer, index + 1, { type: 'log', level: 'info', message }),
  );
  for (let at = 0; at < events.length; at += PIECES)
    await runner.tell(offer, ...events.slice(at, at + PIECES));
  await runner.tell(offer, success(offer, events.length + 1));
  await mustComplete(context, id);
  const exchange = await context.ask('GET', `/jobs/${id}/logs`, { headers: { accept: NDJSON } });
  const entries = exchange.lines.flatMap(({ text }) => JobLogEntry.safeParse(parseJson(text)).data ?? []);
  return { exchange: { ...exchange, text: exchange.text.slice(0, 1_000) }, entries };
}

function capOf({ runner }: Running): number {
  const cap = Number(memberOf(runner.registered, 'limits', 'maxLogBytes') ?? DEFAULTS.maxLogBytes);
  if (cap > LARGEST_CAP) throw new NotEvaluable(`a log of ${cap} bytes is not filled`);
  return cap;
}

const bytesOf = (entries: readonly JobLogEntry[]): number =>
  entries.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);

async function capsLogs(context: PlaneContext): Promise<void> {
  const running = await begin(context, 'long-poll');
  const cap = capOf(running);
  // A beginning, a middle and an end at least, however little is kept.
  const count = Math.max(3, Math.ceil((cap * 3) / PIECE_BYTES));
  const texts = Array.from({ length: count }, (_, index) => `line ${index} `.padEnd(PIECE_BYTES, '.'));
  const { exchange, entries } = await logged(context, running, texts);
  const kept = bytesOf(entries);
  const dropped = entries.reduce((sum, { droppedBytes = 0 }) => sum + droppedBytes, 0);
  const sent = `${count} log events of ${PIECE_BYTES} bytes, and limits.maxLogBytes ${cap}`;
  must(kept <= cap + MARK_BYTES, {
    sent,
    expected: `at most ${cap} bytes kept`,
    actual: `${kept}`,
    exchange,
  });
  const has = (text: string): boolean => entries.some(({ message }) => message.includes(text));
  must(has('line 0 ') && entries.at(-1)?.message.endsWith('.') && !has(`line ${count >> 1} `), {
    sent,
    expected: 'the beginning and the end kept, and the middle left out',
    actual: entries.map(({ message }) => message.slice(0, 12)).join(', '),
    exchange,
  });
  const all = count * PIECE_BYTES;
  must(dropped > 0 && dropped + kept >= all, {
    sent,
    expected: 'droppedBytes where something was left out, as many as are missing',
    actual: `${kept} bytes kept, ${dropped} counted, of ${all}`,
    exchange,
  });
}

async function keepsCharactersWhole(context: PlaneContext): Promise<void> {
  const running = await begin(context, 'long-poll');
  const cap = capOf(running);
  // Of four bytes each, and begun at each place within one: wherever it is cut, a character is in the way.
  const texts = Array.from(
    { length: Math.ceil((cap * 2) / PIECE_BYTES) },
    (_, index) => `${'.'.repeat(index % 4)}${'\u{1F600}'.repeat(PIECE_BYTES / 4)}`,
  );
  const { exchange, entries } = await logged(context, running, texts);
  const broken = entries.find(({ message }) => /\uFFFD|\p{Cs}/u.test(message));
  must(entries.length > 0 && !broken, {
    sent: 'a log over its limit, of characters of four bytes',
    expected: 'a log that is cut between characters',
    actual: broken ? `a piece of a character in the entry ${broken.id}` : 'no entry',
    exchange,
  });
}

const artifactOf = ({ offer }: Running): string => `/executions/${offer.executionId}/artifacts/${ARTIFACT}`;

function leave(context: PlaneContext, running: Running, leaseToken: string): Promise<Exchange> {
  const headers = { 'content-type': 'text/plain', 'x-lease-token': leaseToken };
  const { credential } = running.runner;
  return context.ask('PUT', artifactOf(running), { text: CONTENT, headers, as: credential });
}

async function keepsArtifacts(context: PlaneContext): Promise<void> {
  const running = await begin(context, 'long-poll');
  const put = await leave(context, running, running.offer.leaseToken ?? '');
  mustReply(put.status === 201, '201 for a file of an execution that runs', put);
  await running.runner.tell(running.offer, success(running.offer));
  await mustComplete(context, running.id);
  const got = await context.ask('GET', `/jobs/${running.id}/artifacts/${ARTIFACT}`);
  mustReply(got.status === 200 && got.text === CONTENT, 'the file as it was left', got);
}

async function fencesArtifacts(context: PlaneContext): Promise<void> {
  const running = await begin(context, 'long-poll');
  const put = await leave(context, running, 'kit-stale-lease');
  const isRefused = put.status === 409 && memberOf(put.json, 'error', 'code') === 'LEASE_SUPERSEDED';
  mustReply(isRefused, '409 LEASE_SUPERSEDED to a lease that is not the current one', put);
}

async function retriesOnRequest(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll');
  await runner.tell(offer, failure(offer, { code: 'KIT_EXPECTED', retryable: false }));
  await jobWhere(context, id, { fits: (status) => status === 'failed' });
  const retry = await context.ask('POST', `/jobs/${id}/retry`, { body: {} });
  mustReply(retry.status === 202, '202 to the retry of a job that has ended', retry);
  const again = await mustOffer(runner, `POST /jobs/${id}/retry`);
  must(again.jobId === id, { expected: `job ${id}`, actual: `job ${again.jobId}` });
}

async function listsJobs(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll');
  await runner.tell(offer, success(offer));
  await mustComplete(context, id);
  const exchange = await context.ask('GET', `/jobs?type=${encodeURIComponent(runner.capability)}`);
  const { items } = Object(exchange.json) as { readonly items?: readonly Partial<JobResponse>[] };
  const found = Array.isArray(items) ? items.map((item) => `${item.id} ${item.status}`) : [];
  mustReply(found.join() === `${id} completed`, `job ${id}, completed, among those of its type`, exchange);
}

async function listsCapabilities(context: PlaneContext): Promise<void> {
  const { capability } = await context.runner('long-poll');
  const exchange = await context.ask('GET', '/capabilities');
  mustReply(exchange.status === 200 && exchange.text.includes(capability), `${capability} listed`, exchange);
}

async function servesProbes(context: PlaneContext): Promise<void> {
  for (const path of ['/livez', '/readyz']) {
    const exchange = await context.ask('GET', path);
    const isOk = exchange.status === 200 && memberOf(exchange.json, 'ok') === true;
    mustReply(isOk, `200 and ok=true at ${path}`, exchange);
  }
}

/** A connection that is closed on a body that nobody reads may break before the answer on it is read: tried again. */
async function askOversized(context: PlaneContext): Promise<Exchange> {
  const text = JSON.stringify({ filler: 'x'.repeat(OVER_BODY_BYTES) });
  for (let tries = 1; ; tries += 1) {
    try {
      return await context.ask('POST', '/jobs', { text, inPieces: true });
    } catch (error) {
      if (!(error instanceof NoAnswer) || tries === OVER_BODY_TRIES || context.signal.aborted) throw error;
    }
  }
}

async function refusesOversized(context: PlaneContext): Promise<void> {
  const exchange = await askOversized(context);
  const error = ErrorEnvelope.safeParse(memberOf(exchange.json, 'error')).data;
  mustReply(exchange.status === 413 && error, '413 and an ErrorEnvelope for a body of 5 MB', {
    ...exchange,
    request: { ...exchange.request, body: '(5 MB)' },
  });
}

/** What is kept of a job, and what else is read. */
export const planeRecordCases: readonly PlaneCase[] = [
  { id: 'control-plane.caps-logs', judge: capsLogs },
  { id: 'control-plane.keeps-characters-whole', judge: keepsCharactersWhole },
  { id: 'control-plane.keeps-artifacts', judge: keepsArtifacts },
  { id: 'control-plane.fences-artifacts', judge: fencesArtifacts },
  { id: 'control-plane.retries-on-request', judge: retriesOnRequest },
  { id: 'control-plane.lists-jobs', judge: listsJobs },
  { id: 'control-plane.lists-capabilities', judge: listsCapabilities },
  { id: 'control-plane.serves-probes', judge: servesProbes },
  { id: 'control-plane.refuses-oversized', judge: refusesOversized },
];
