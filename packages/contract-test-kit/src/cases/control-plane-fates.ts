import { DEFAULTS } from '@controlplane/contracts';
import { memberOf, must, mustReply } from '../case/expect.js';
import { NotEvaluable } from '../case/verdict.js';
import { begin, jobWhere, mustOffer, submit, type PlaneCase, type PlaneContext } from '../case/plane-case.js';
import { PATIENCE_MS } from '../harness/pause.js';
import { failure, playedEvent } from '../harness/played/played-runner.js';

/** Who breaks a promise by doing what it must not has done so within this. */
const STILL_MS = 800;
/** Twice this, and patience, fits into the time of its case. */
const LONGEST_LEASE_MS = 45_000;

async function cancels(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'websocket');
  await context.ask('POST', `/jobs/${id}/cancel`, { body: {} });
  const directive = await runner.directive('cancel');
  must(directive?.['executionId'] === offer.executionId, {
    sent: `POST /jobs/${id}/cancel while ${offer.executionId} runs`,
    expected: 'the directive cancel for it',
    actual: directive ? JSON.stringify(directive) : 'none',
  });
}

const SOON = { retryPolicy: { maxRetries: 2, backoffMs: 100, maxBackoffMs: 200 } };

async function retries(context: PlaneContext): Promise<void> {
  const { runner, offer } = await begin(context, 'websocket', SOON);
  await runner.tell(offer, failure(offer, { code: 'KIT_EXPECTED', retryable: true }));
  const again = await mustOffer(runner, 'a retryable failure of the first attempt');
  must(again.jobId === offer.jobId && again.attempt === offer.attempt + 1, {
    sent: 'a retryable failure of the first attempt',
    expected: `attempt ${offer.attempt + 1} of the same job`,
    actual: `attempt ${again.attempt} of ${again.jobId}`,
  });
}

async function takesBackWork(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll', SOON);
  await runner.tell(offer, failure(offer, { code: 'RUNNER_SHUTDOWN', retryable: true }));
  await runner.close();
  const other = await context.runner('long-poll', { capability: runner.capability });
  const again = await mustOffer(
    other,
    `RUNNER_SHUTDOWN for ${offer.executionId}, and the runner deregistered`,
  );
  must(again.jobId === id, { expected: `job ${id} at another runner`, actual: `job ${again.jobId}` });
}

async function drains(context: PlaneContext): Promise<void> {
  const runner = await context.runner('websocket');
  await context.ask('POST', `/runners/${runner.runnerId}/drain`, { body: {} });
  const directive = await runner.directive('drain');
  must(directive, {
    sent: `POST /runners/${runner.runnerId}/drain`,
    expected: 'the directive drain',
    actual: 'none',
  });
  await submit(context, runner.capability);
  const offer = await runner.offer(STILL_MS);
  must(!offer, { sent: 'a job for a runner that drains', expected: 'no offer', actual: 'one' });
}

async function movesLostWork(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'websocket', SOON);
  const ms = lostWithin(runner.registered);
  await runner.close();
  const other = await context.runner('long-poll', { capability: runner.capability });
  const again = await other.offer(ms);
  must(again?.jobId === id, {
    sent: `a connection that broke while ${offer.executionId} ran, which has no effects, and did not come back`,
    expected: `job ${id} at another runner, once its lease is over`,
    actual: again ? `job ${again.jobId}` : 'no offer',
  });
}

/** How long a lost execution is waited for. */
function lostWithin(registered: unknown): number {
  const leaseMs = Number(memberOf(registered, 'leaseMs') ?? DEFAULTS.leaseMs);
  if (leaseMs > LONGEST_LEASE_MS) throw new NotEvaluable(`a lease of ${leaseMs} ms is not waited for`);
  return leaseMs * 2 + PATIENCE_MS;
}

async function failsLostWrites(context: PlaneContext): Promise<void> {
  const runner = await context.runner('websocket', { effects: 'writes' });
  const id = await submit(context, runner.capability, SOON);
  const offer = await mustOffer(runner, 'a job');
  await runner.accept(offer);
  await runner.tell(offer, playedEvent(offer, 1, { type: 'writing' }));
  const ms = lostWithin(runner.registered);
  await runner.close();
  const exchange = await jobWhere(context, id, { fits: (status) => status === 'failed', ms });
  const code = memberOf(exchange.json, 'error', 'code');
  mustReply(code === 'RUNNER_LOST', 'the job failed as RUNNER_LOST: it had begun to write', exchange);
  const other = await context.runner('websocket', { capability: runner.capability, effects: 'writes' });
  const again = await other.offer(STILL_MS);
  must(!again, {
    sent: `another runner with the capability of job ${id}, which had begun to write and failed as RUNNER_LOST`,
    expected: 'no offer: what was written may be written twice',
    actual: `an offer of job ${again?.jobId}`,
  });
}

async function handsOverCheckpoints(context: PlaneContext): Promise<void> {
  const { runner, offer } = await begin(context, 'long-poll', SOON);
  const data = { step: 3 };
  await runner.tell(
    offer,
    playedEvent(offer, 1, { type: 'checkpoint', data: { step: 1 } }),
    playedEvent(offer, 2, { type: 'checkpoint', data }),
    failure(offer, { code: 'KIT_EXPECTED', retryable: true, seq: 3 }),
  );
  const sent = 'two checkpoints, and a retryable failure';
  const again = await mustOffer(runner, sent);
  must(JSON.stringify(again.checkpoint) === JSON.stringify(data), {
    sent,
    expected: `checkpoint ${JSON.stringify(data)} with the next attempt`,
    actual: JSON.stringify(again.checkpoint) ?? 'no checkpoint',
  });
}

/** What becomes of work that does not simply succeed. */
export const planeFateCases: readonly PlaneCase[] = [
  { id: 'control-plane.cancels', judge: cancels },
  { id: 'control-plane.retries', judge: retries },
  { id: 'control-plane.drains', judge: drains },
  { id: 'control-plane.takes-back-work', judge: takesBackWork },
  { id: 'control-plane.moves-lost-work', leastMs: 60_000, judge: movesLostWork },
  { id: 'control-plane.fails-lost-writes', leastMs: 60_000, judge: failsLostWrites },
  { id: 'control-plane.hands-over-checkpoints', judge: handsOverCheckpoints },
];
