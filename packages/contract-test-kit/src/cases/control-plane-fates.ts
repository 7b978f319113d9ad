import { randomUUID } from 'node:crypto';
import { DEFAULTS } from '@controlplane/contracts';
import { memberOf, must } from '../case/expect.js';
import { NotEvaluable } from '../case/verdict.js';
import { begin, mustOffer, submit, type PlaneCase, type PlaneContext } from '../case/plane-case.js';
import { playedEvent, type PlayedOffer } from '../harness/played/played-runner.js';

const PATIENCE_MS = 15_000;
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

/** A failure that may be tried again, as a runner tells it. */
function retryable(offer: PlayedOffer, code: string): object {
  const error = {
    ...{
      id: randomUUID(),
      timestamp: new Date().toISOString(),
      category: 'RUNTIME_ERROR',
      severity: 'error',
    },
    ...{ code, message: 'as the kit asked', service: 'contract-test-kit', retryable: true, details: [] },
    contractVersion: { major: 1, minor: 0, patch: 0 },
  };
  return playedEvent(offer, 1, { type: 'failed', error, executionTimeMs: 1 });
}

const SOON = { retryPolicy: { maxRetries: 2, backoffMs: 100, maxBackoffMs: 200 } };

async function retries(context: PlaneContext): Promise<void> {
  const { runner, offer } = await begin(context, 'websocket', SOON);
  await runner.tell(offer, retryable(offer, 'KIT_EXPECTED'));
  const again = await mustOffer(runner, 'a retryable failure of the first attempt');
  must(again.jobId === offer.jobId && again.attempt === offer.attempt + 1, {
    sent: 'a retryable failure of the first attempt',
    expected: `attempt ${offer.attempt + 1} of the same job`,
    actual: `attempt ${again.attempt} of ${again.jobId}`,
  });
}

async function takesBackWork(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll', SOON);
  await runner.tell(offer, retryable(offer, 'RUNNER_SHUTDOWN'));
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
  const leaseMs = Number(memberOf(runner.registered, 'leaseMs') ?? DEFAULTS.leaseMs);
  if (leaseMs > LONGEST_LEASE_MS) throw new NotEvaluable(`a lease of ${leaseMs} ms is not waited for`);
  await runner.close();
  const other = await context.runner('long-poll', { capability: runner.capability });
  const again = await other.offer(leaseMs * 2 + PATIENCE_MS);
  must(again?.jobId === id, {
    sent: `a connection that broke while ${offer.executionId} ran, which has no effects, and did not come back`,
    expected: `job ${id} at another runner, once its lease of ${leaseMs} ms is over`,
    actual: again ? `job ${again.jobId}` : 'no offer',
  });
}

/** What becomes of work that does not simply succeed. */
export const planeFateCases: readonly PlaneCase[] = [
  { id: 'control-plane.cancels', judge: cancels },
  { id: 'control-plane.retries', judge: retries },
  { id: 'control-plane.drains', judge: drains },
  { id: 'control-plane.takes-back-work', judge: takesBackWork },
  { id: 'control-plane.moves-lost-work', leastMs: 60_000, judge: movesLostWork },
];
