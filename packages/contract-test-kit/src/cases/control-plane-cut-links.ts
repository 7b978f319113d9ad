import { memberOf, must, mustReply } from '../case/expect.js';
import {
  begin,
  jobWhere,
  mustComplete,
  mustOffer,
  submit,
  type PlaneCase,
  type PlaneContext,
} from '../case/plane-case.js';
import { pause } from '../harness/pause.js';
import { success, type PlayedOffer, type PlayedRunner } from '../harness/played/played-runner.js';

/** One retry at once would hide that an attempt was lost. */
const ONCE = { retryPolicy: { maxRetries: 0 } };
/** One retry, soon: of a claim that broke nobody but the runner knows whether it led to anything. */
const ONCE_MORE = { retryPolicy: { maxRetries: 1, backoffMs: 100, maxBackoffMs: 200 } };
/** For a poll to have arrived before it is broken off. */
const ARRIVES_MS = 300;

/** The same process dials again after its connection broke, and says what it holds. */
function again(
  context: PlaneContext,
  { registration, capability }: PlayedRunner,
  held: readonly string[],
): Promise<PlayedRunner> {
  return context.runner('websocket', { ...registration, capability, held });
}

/** Claims an offer and tells of its success; the job completes. */
async function mustFinish(
  context: PlaneContext,
  runner: PlayedRunner,
  {
    offer,
    id,
    sent,
    attempts = 1,
  }: { readonly offer: PlayedOffer; readonly id: string; readonly sent: string; readonly attempts?: number },
): Promise<void> {
  must(offer.jobId === id && offer.attempt <= attempts, {
    sent,
    expected: `job ${id} offered again, as attempt ${attempts} at most`,
    actual: `job ${offer.jobId}, attempt ${offer.attempt}`,
  });
  const { code } = await runner.accept(offer);
  must(code === undefined, {
    sent: `${sent}, and a claim`,
    expected: 'a confirmation',
    actual: String(code),
  });
  await runner.tell(offer, success(offer));
  await mustComplete(context, id);
}

async function beforeTheClaim(context: PlaneContext): Promise<void> {
  const sent = 'a connection that broke before its offer was claimed';
  const first = await context.runner('websocket');
  const id = await submit(context, first.capability, ONCE);
  await mustOffer(first, 'a job');
  await first.close();
  const second = await again(context, first, []);
  await mustFinish(context, second, { offer: await mustOffer(second, sent), id, sent });
}

async function beforeTheConfirmation(context: PlaneContext): Promise<void> {
  const sent = 'a connection that broke after the claim, and a runner that comes back with nothing held';
  const first = await context.runner('websocket');
  const id = await submit(context, first.capability, ONCE_MORE);
  const offer = await mustOffer(first, 'a job');
  // Its answer is not waited for: it may come, or not.
  void first.accept(offer);
  await first.close();
  const second = await again(context, first, []);
  await mustFinish(context, second, { offer: await mustOffer(second, sent), id, sent, attempts: 2 });
}

async function whileItRuns(context: PlaneContext): Promise<void> {
  const sent =
    'a connection that broke while an execution ran, and its runner back with the execution in `held`';
  const { runner: first, offer, id } = await begin(context, 'websocket', ONCE);
  await first.close();
  const second = await again(context, first, [offer.executionId]);
  const { code } = await second.tell(offer, success(offer));
  must(code === undefined, {
    sent: `${sent}, and its end`,
    expected: 'an acknowledgement',
    actual: String(code),
  });
  await mustComplete(context, id);
  const { json } = await context.ask('GET', `/jobs/${id}`);
  const attempts = Number(memberOf(json, 'result', 'metadata', 'attempts') ?? 1);
  must(attempts === 1, { sent, expected: 'one attempt', actual: `${attempts} attempts` });
}

async function beforeTheAcknowledgement(context: PlaneContext): Promise<void> {
  const sent = 'an end whose connection broke before it was acknowledged, and the same end over the next';
  const { runner: first, offer, id } = await begin(context, 'websocket', ONCE);
  // Its answer is not waited for: it may come, or not.
  void first.tell(offer, success(offer));
  await first.close();
  const second = await again(context, first, [offer.executionId]);
  const { code, seq } = await second.tell(offer, success(offer));
  must(code === undefined && seq === 1, {
    sent,
    expected: 'an acknowledgement of seq 1',
    actual: code ?? `seq ${seq}`,
  });
  await mustComplete(context, id);
}

async function repeatsAnswers(context: PlaneContext): Promise<void> {
  const { runner, offer, id } = await begin(context, 'long-poll', ONCE);
  const claimed = await runner.accept(offer);
  must(claimed.code === undefined, {
    sent: 'a claim that is posted again, as after an answer that was lost',
    expected: 'the same answer',
    actual: String(claimed.code),
    exchange: claimed.exchange,
  });
  for (const _time of [1, 2]) {
    const { code, seq, exchange } = await runner.tell(offer, success(offer));
    must(code === undefined && seq === 1, {
      sent: 'an end that is posted, and posted again',
      expected: 'seq 1 acknowledged each time',
      actual: code ?? `seq ${seq}`,
      exchange,
    });
  }
  await mustComplete(context, id);
}

async function brokenPoll(context: PlaneContext): Promise<void> {
  const sent = 'a poll that was broken off, a job, and another poll';
  const runner = await context.runner('long-poll');
  const { instanceId } = runner.registration;
  const broken = new AbortController();
  const poll = context.ask('POST', `/runners/${runner.runnerId}/poll`, {
    body: { instanceId, maxExecutions: 4 },
    as: runner.credential,
    signal: broken.signal,
  });
  const left = poll.catch(() => undefined);
  await pause(ARRIVES_MS, context.signal);
  broken.abort();
  await left;
  const id = await submit(context, runner.capability, ONCE);
  await mustFinish(context, runner, { offer: await mustOffer(runner, sent), id, sent });
}

async function checksOutput(context: PlaneContext): Promise<void> {
  const outputSchema = {
    type: 'object',
    properties: { played: { type: 'string' } },
    required: ['played'],
  };
  const runner = await context.runner('long-poll', { outputSchema });
  const id = await submit(context, runner.capability, ONCE);
  const offer = await mustOffer(runner, 'a job');
  await runner.accept(offer);
  await runner.tell(offer, success(offer));
  const exchange = await jobWhere(context, id, {
    fits: (status) => status === 'completed' || status === 'failed',
  });
  mustReply(
    memberOf(exchange.json, 'status') === 'failed' &&
      memberOf(exchange.json, 'error', 'code') === 'OUTPUT_INVALID',
    'the job failed as OUTPUT_INVALID: the output schema wants a text where the success had true',
    exchange,
  );
}

/** Links that break between the phases of an execution, and results that are none. */
export const planeCutLinkCases: readonly PlaneCase[] = [
  { id: 'control-plane.checks-output', judge: checksOutput },
  { id: 'control-plane.survives-cut-offers', judge: beforeTheClaim },
  { id: 'control-plane.survives-cut-claims', judge: beforeTheConfirmation },
  { id: 'control-plane.keeps-held-work', judge: whileItRuns },
  { id: 'control-plane.takes-cut-results', judge: beforeTheAcknowledgement },
  { id: 'control-plane.repeats-answers', judge: repeatsAnswers },
  { id: 'control-plane.survives-cut-polls', judge: brokenPoll },
];
