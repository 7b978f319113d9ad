import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { RunnerExecutionRequest } from '@controlplane/contracts';
import { memberOf, must, mustReply } from '../case/expect.js';
import {
  begin,
  jobFor,
  mustComplete,
  mustOffer,
  submit,
  type PlaneCase,
  type PlaneContext,
} from '../case/plane-case.js';
import { eventually } from '../case/wait.js';
import { showReply } from '../case/wire-rules.js';
import { PATIENCE_MS } from '../harness/pause.js';
import { playedEvent, success } from '../harness/played/played-runner.js';
import type { Pushed, PushedRunner } from '../harness/played/pushed-runner.js';

/** A whole job over a link. */
async function doesAJob(context: PlaneContext, kind: 'websocket' | 'long-poll'): Promise<void> {
  const { runner, offer, id } = await begin(context, kind);
  await runner.tell(offer, success(offer));
  await mustComplete(context, id);
}

async function acknowledges(context: PlaneContext): Promise<void> {
  const { runner, offer } = await begin(context, 'websocket');
  const { code, seq } = await runner.tell(offer, success(offer));
  must(code === undefined && seq === 1, {
    sent: 'an events frame up to seq 1',
    expected: 'an acknowledgement of seq 1',
    actual: code ?? `seq ${seq}`,
  });
}

async function mustBePushed(context: PlaneContext, runner: PushedRunner): Promise<Pushed> {
  const limit = { ms: PATIENCE_MS, signal: context.signal };
  const pushed = await eventually(() => runner.pushed[0], limit);
  must(pushed, { sent: 'a job', expected: 'POST to the execute URL', actual: 'nothing' });
  return pushed;
}

async function pushesJobs(context: PlaneContext): Promise<void> {
  const runner = await context.pushedRunner();
  const id = await submit(context, runner.capability);
  const pushed = await mustBePushed(context, runner);
  must(RunnerExecutionRequest.safeParse(pushed.json).success, {
    sent: 'a job',
    expected: 'a RunnerExecutionRequest',
    actual: pushed.text.slice(0, 300),
  });
  await mustComplete(context, id);
}

function isSigned(key: string, { headers, text }: Pushed): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures = '' } = headers;
  const secret = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', secret).update(`${id}.${at}.${text}`).digest();
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

async function signsDispatches(context: PlaneContext): Promise<void> {
  const runner = await context.pushedRunner();
  const key = memberOf(runner.registered, 'signingKey');
  must(typeof key === 'string', {
    sent: 'the registration of a runner with the feature signed',
    expected: 'a signingKey in its reply',
    actual: 'none',
  });
  await submit(context, runner.capability);
  const pushed = await mustBePushed(context, runner);
  must(isSigned(key, pushed), {
    sent: 'a job for a runner that was given a signingKey',
    expected: 'a Standard Webhooks signature by that key',
    actual: pushed.headers['webhook-signature'] === undefined ? 'no signature' : 'another signature',
  });
}

async function offersAgain(context: PlaneContext): Promise<void> {
  const runner = await context.runner('websocket');
  await submit(context, runner.capability);
  const first = await mustOffer(runner, 'a job');
  const again = await mustOffer(runner, 'no claim of the first offer');
  must(again.jobId === first.jobId && again.attempt === first.attempt, {
    sent: 'no claim within 5 s',
    expected: 'the job offered again, without an attempt consumed',
    actual: `job ${again.jobId}, attempt ${again.attempt}`,
  });
}

async function fencesSuperseded(context: PlaneContext): Promise<void> {
  const { runner, offer } = await begin(context, 'long-poll');
  const stale = { ...offer, leaseToken: 'kit-stale-lease' };
  for (const answer of [await runner.accept(stale), await runner.tell(stale, success(offer))]) {
    must(answer.code === 'LEASE_SUPERSEDED' && answer.exchange?.status === 409, {
      expected: '409 LEASE_SUPERSEDED to a leaseToken that is not the current one',
      actual: answer.exchange ? showReply(answer.exchange) : String(answer.code),
      exchange: answer.exchange,
    });
  }
}

async function recordsOnce(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll');
  await runner.tell(offer, success(offer));
  await mustComplete(context, id);
  await runner.tell(offer, playedEvent(offer, 2, { type: 'cancelled', reason: 'user' }));
  await runner.tell(offer, success(offer));
  await mustComplete(context, id);
}

async function submitsOnce(context: PlaneContext): Promise<void> {
  const { capability } = await context.runner('long-poll');
  const id = `kit-job-${randomUUID()}`;
  const body = jobFor(capability, { id });
  const [first, second] = [
    await context.ask('POST', '/jobs', { body }),
    await context.ask('POST', '/jobs', { body }),
  ];
  for (const exchange of [first, second])
    mustReply(exchange.status < 300 && memberOf(exchange.json, 'id') === id, `the job ${id}`, exchange);
  const other = jobFor(capability, { id, payload: { type: capability, data: { text: 'other' } } });
  const conflict = await context.ask('POST', '/jobs', { body: other });
  mustReply(conflict.status === 409, '409 for another job of the same id', conflict);
}

async function checksInput(context: PlaneContext): Promise<void> {
  const { capability } = await context.runner('long-poll');
  const body = jobFor(capability, { payload: { type: capability, data: { text: 7 } } });
  const exchange = await context.ask('POST', '/jobs', { body });
  mustReply(
    exchange.status === 400 && memberOf(exchange.json, 'error', 'category') === 'VALIDATION_ERROR',
    '400 VALIDATION_ERROR for an input that the schema of the capability refuses',
    exchange,
  );
}

/** Ids of the events of a job that has ended. */
async function eventIds(context: PlaneContext, id: string, after?: string): Promise<readonly string[]> {
  const headers = {
    accept: 'text/event-stream',
    ...(after === undefined ? {} : { 'last-event-id': after }),
  };
  const exchange = await context.ask('GET', `/jobs/${id}/events`, { headers });
  return exchange.text.split('\n').flatMap((line) => (line.startsWith('id:') ? [line.slice(3).trim()] : []));
}

async function resumesEvents(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll');
  await runner.tell(offer, success(offer));
  await mustComplete(context, id);
  const all = await eventIds(context, id);
  must(all.length > 1, {
    sent: `GET /jobs/${id}/events`,
    expected: 'events with ids',
    actual: `${all.length} of them`,
  });
  const rest = await eventIds(context, id, all[0]);
  must(JSON.stringify(rest) === JSON.stringify(all.slice(1)), {
    sent: `GET /jobs/${id}/events with Last-Event-ID ${all[0]}`,
    expected: `what came after it: ${all.slice(1).join(' ')}`,
    actual: rest.join(' ') || 'nothing',
  });
}

export const planeJobCases: readonly PlaneCase[] = [
  { id: 'control-plane.offers-over-websocket', judge: (context) => doesAJob(context, 'websocket') },
  { id: 'control-plane.offers-over-long-poll', judge: (context) => doesAJob(context, 'long-poll') },
  { id: 'control-plane.pushes-jobs', judge: pushesJobs },
  { id: 'control-plane.signs-dispatches', judge: signsDispatches },
  { id: 'control-plane.acknowledges-events', judge: acknowledges },
  { id: 'control-plane.offers-again', judge: offersAgain },
  { id: 'control-plane.fences-superseded', judge: fencesSuperseded },
  { id: 'control-plane.records-results-once', judge: recordsOnce },
  { id: 'control-plane.submits-once', judge: submitsOnce },
  { id: 'control-plane.checks-input', judge: checksInput },
  { id: 'control-plane.resumes-events', judge: resumesEvents },
];
