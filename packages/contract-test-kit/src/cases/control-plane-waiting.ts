import { randomUUID } from 'node:crypto';
import { JobBatchResponse, JobWhy } from '@controlplane/contracts';
import { memberOf, must, mustReply } from '../case/expect.js';
import {
  jobFor,
  jobWhere,
  mustOffer,
  submit,
  type PlaneCase,
  type PlaneContext,
} from '../case/plane-case.js';
import { NoAnswer } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';

/** A poll that is not held is answered before this. */
const HELD_MS = 2_000;
const SOON_MS = 1_000;

/** The name of a capability that no runner has. */
const nobodys = (): string => `kit.${randomUUID().slice(0, 13)}`;

async function waitsForARunner(context: PlaneContext): Promise<void> {
  const capability = nobodys();
  const id = await submit(context, capability);
  const runner = await context.runner('long-poll', { capability });
  const offer = await mustOffer(runner, `the first runner that offers ${capability}, for which a job waits`);
  must(offer.jobId === id, { expected: `job ${id}`, actual: `job ${offer.jobId}` });
}

async function honoursPriority(context: PlaneContext): Promise<void> {
  const capability = nobodys();
  await submit(context, capability, { priority: 10 });
  const urgent = await submit(context, capability, { priority: 90 });
  const runner = await context.runner('long-poll', { capability, maxConcurrency: 1 });
  const offer = await mustOffer(runner, 'jobs of the priorities 10 and 90 that wait');
  must(offer.jobId === urgent, {
    sent: 'two jobs, the second more urgent, and then a runner with one slot',
    expected: 'the offer of the second',
    actual: 'the offer of the first',
  });
}

async function cancelsWaitingJobs(context: PlaneContext): Promise<void> {
  const id = await submit(context, nobodys());
  await context.ask('POST', `/jobs/${id}/cancel`, { body: {} });
  const exchange = await jobWhere(context, id, { fits: (status) => status === 'cancelled' });
  mustReply(memberOf(exchange.json, 'status') === 'cancelled', 'the waiting job cancelled', exchange);
}

async function expiresWaitingJobs(context: PlaneContext): Promise<void> {
  const expiresAt = new Date(Date.now() + SOON_MS).toISOString();
  const id = await submit(context, nobodys(), { metadata: { expiresAt } });
  const exchange = await jobWhere(context, id, { fits: (status) => status === 'failed' });
  const code = memberOf(exchange.json, 'error', 'code');
  mustReply(code === 'JOB_EXPIRED', 'the job failed as JOB_EXPIRED: no runner came by then', exchange);
}

async function tellsWhy(context: PlaneContext): Promise<void> {
  const id = await submit(context, nobodys());
  const exchange = await context.ask('GET', `/jobs/${id}/why`);
  const why = JobWhy.safeParse(exchange.json).data;
  mustReply(exchange.status === 200 && why?.reason, 'why the job waits, in words', exchange);
}

async function takesBatches(context: PlaneContext): Promise<void> {
  const { capability } = await context.runner('long-poll');
  const ids = [randomUUID(), randomUUID()].map((id) => `kit-job-${id}`);
  const wrong = jobFor(capability, { payload: { type: capability, data: { text: 7 } } });
  const jobs = [jobFor(capability, { id: ids[0] }), wrong, jobFor(capability, { id: ids[1] })];
  const exchange = await context.ask('POST', '/jobs/batch', { body: { jobs } });
  const entries = JobBatchResponse.safeParse(exchange.json).data?.jobs ?? [];
  const told = entries.map((entry) => ('error' in entry ? entry.error.category : entry.id));
  mustReply(
    JSON.stringify(told) === JSON.stringify([ids[0], 'VALIDATION_ERROR', ids[1]]),
    'an entry for each job of the batch, in its order: the job, or why it was refused',
    exchange,
  );
}

async function findsByJobType(context: PlaneContext): Promise<void> {
  const type = nobodys();
  const runner = await context.runner('long-poll', { supportedJobTypes: [type] });
  const id = await submit(context, type);
  const offer = await mustOffer(runner, `a job of the type ${type}, which is in its supportedJobTypes`);
  must(offer.jobId === id, { expected: `job ${id}`, actual: `job ${offer.jobId}` });
}

async function holdsPolls(context: PlaneContext): Promise<void> {
  const { runnerId, registration, credential } = await context.runner('long-poll');
  const { instanceId } = registration;
  const poll = context
    .ask('POST', `/runners/${runnerId}/poll`, { body: { instanceId, maxExecutions: 1 }, as: credential })
    .catch((error: unknown) => {
      // What is held when the case ends is not answered.
      if (error instanceof NoAnswer && context.signal.aborted) return undefined;
      throw error;
    });
  const early = await Promise.race([poll, pause(HELD_MS, context.signal).then(() => undefined)]);
  must(!early, {
    sent: 'a poll while there is nothing to do',
    expected: `no answer within ${HELD_MS} ms: a poll is held`,
    actual: `HTTP ${early?.status}`,
    exchange: early,
  });
}

/** Work that waits for a runner, or for its turn. */
export const planeWaitingCases: readonly PlaneCase[] = [
  { id: 'control-plane.waits-for-a-runner', judge: waitsForARunner },
  { id: 'control-plane.honours-priority', judge: honoursPriority },
  { id: 'control-plane.cancels-waiting-jobs', judge: cancelsWaitingJobs },
  { id: 'control-plane.expires-waiting-jobs', judge: expiresWaitingJobs },
  { id: 'control-plane.tells-why', judge: tellsWhy },
  { id: 'control-plane.takes-batches', judge: takesBatches },
  { id: 'control-plane.finds-by-job-type', judge: findsByJobType },
  { id: 'control-plane.holds-polls', judge: holdsPolls },
];
