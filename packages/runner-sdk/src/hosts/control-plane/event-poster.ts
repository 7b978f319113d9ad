import { DEFAULTS } from '@controlplane/contracts';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import type { HostedRunner } from '../host.js';
import type { ControlPlaneClient } from './client.js';
import { batchOf } from './event-batch.js';
import { eventBytes, fitEvent } from './event-sizes.js';
import {
  unsentEvents,
  type OfferedExecution,
  type OfferedExecutions,
  type OfferWire,
  type Verdict,
} from './offered-executions.js';
import type { Answer, Refusal } from '../refusals.js';

/** What a poster needs. */
export interface EventPosterOptions {
  readonly runner: HostedRunner;
  readonly client: ControlPlaneClient;
  readonly offers: OfferedExecutions;
  /** Ends everything that is under way. */
  readonly signal: AbortSignal;
  /** The most bytes that the control plane reads at once. */
  readonly maxBytes: () => number;
  /** Milliseconds that a claim is tried for. */
  readonly leaseMs: () => number;
}

const BOUNDS = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };

/** Refusals after which the execution is not this runner's, or what it says can never be taken. */
const LOST: ReadonlySet<string> = new Set([
  'LEASE_SUPERSEDED',
  'EXECUTION_NOT_FOUND',
  'VALIDATION_ERROR',
  'INVALID_JSON',
  'PAYLOAD_TOO_LARGE',
]);

function verdictOf({ code }: Refusal): Verdict {
  if (code === 'LEASE_SUPERSEDED') return code;
  return LOST.has(code) ? 'EXECUTION_NOT_FOUND' : undefined;
}

const leaseOf = (leaseToken: string | undefined): { leaseToken?: string } =>
  leaseToken === undefined ? {} : { leaseToken };

function sayLost(
  { runner }: EventPosterOptions,
  execution: OfferedExecution,
  { code, message }: Refusal,
): void {
  const isUsual = code === 'LEASE_SUPERSEDED' || code === 'EXECUTION_NOT_FOUND';
  runner.logger[isUsual ? 'debug' : 'error'](
    { executionId: execution.executionId, code, reason: message },
    'the control plane does not take what this execution says; it is given up',
  );
}

function pause({ runner, signal }: EventPosterOptions, attempt: number, refusal: Refusal): Promise<boolean> {
  const delayMs = Math.max(backoffMs(attempt, BOUNDS, runner.random()), refusal.retryAfterMs ?? 0);
  return sleep(runner.clock, delayMs, signal);
}

async function claim(options: EventPosterOptions, execution: OfferedExecution): Promise<void> {
  const { runner, client, offers, signal } = options;
  const { executionId } = execution;
  const startedMs = runner.clock.elapsed();
  for (let attempt = 0; execution.claim && !signal.aborted; attempt++) {
    const answer = await client.accept(executionId, leaseOf(execution.leaseToken), signal);
    if (answer.ok) return offers.confirm(executionId, undefined);
    const verdict = verdictOf(answer);
    const isOver = runner.clock.elapsed() - startedMs > options.leaseMs();
    if (verdict || isOver) return offers.confirm(executionId, verdict ?? 'LEASE_SUPERSEDED');
    await pause(options, attempt, answer);
  }
}

/** @returns what was answered; undefined when there is nothing more to say */
async function postOnce(
  options: EventPosterOptions,
  execution: OfferedExecution,
): Promise<Answer<unknown> | undefined> {
  const { runner, client, offers, signal } = options;
  const limits = { maxBytes: options.maxBytes(), service: runner.manifest.name };
  const batch = batchOf(unsentEvents(execution), limits.maxBytes, (given) => {
    const event = fitEvent(given, limits);
    return { event, bytes: eventBytes(event) };
  }).map(({ event }) => event);
  const last = batch.at(-1);
  if (!last) return undefined;
  const { executionId, leaseToken } = execution;
  const answer = await client.recordEvents(executionId, { ...leaseOf(leaseToken), events: batch }, signal);
  if (answer.ok) {
    execution.sentSeq = Math.max(execution.sentSeq, last.seq);
    offers.acknowledge(executionId, answer.value.acknowledgedSeq, undefined);
    return answer;
  }
  const verdict = verdictOf(answer);
  if (!verdict) return answer;
  sayLost(options, execution, answer);
  offers.acknowledge(executionId, last.seq, verdict);
  return undefined;
}

async function post(options: EventPosterOptions, execution: OfferedExecution): Promise<void> {
  // What happens in one turn of the event loop leaves in one request.
  await new Promise((resolve) => setImmediate(resolve));
  for (let failures = 0; !options.signal.aborted;) {
    const answer = await postOnce(options, execution);
    if (!answer) return;
    if (answer.ok) failures = 0;
    else await pause(options, failures++, answer);
  }
}

/** Makes what carries accepts and events by single requests: in order, one at a time for each execution. */
export function createEventPoster(options: EventPosterOptions): OfferWire {
  const posting = new Set<OfferedExecution>();
  const claiming = new Set<OfferedExecution>();
  const poster: OfferWire = {
    accept(execution) {
      if (claiming.has(execution)) return;
      claiming.add(execution);
      void claim(options, execution).finally(() => claiming.delete(execution));
    },
    events(execution) {
      if (posting.has(execution)) return;
      posting.add(execution);
      void post(options, execution).finally(() => {
        posting.delete(execution);
        // It may have spoken between the last look and now.
        if (!options.signal.aborted && unsentEvents(execution).length > 0) poster.events(execution);
      });
    },
  };
  return poster;
}
