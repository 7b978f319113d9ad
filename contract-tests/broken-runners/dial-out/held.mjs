/** Executions that were offered, until their end is acknowledged. Knows no wire: `say` carries claims and events. */
import { envelope } from '../envelope.mjs';

const TERMINAL = new Set(['succeeded', 'failed', 'cancelled']);
const KNOWN = new Set(
  'jobId executionId moduleId capabilityId payload timeoutMs metadata attempt leaseToken'.split(' '),
);
const LATE_MS = 6_000;

const isOffer = ({ jobId, payload }) =>
  typeof jobId === 'string' && typeof payload === 'object' && payload !== null;

const failed = (executionId, error) => ({
  ...{ executionId, seq: 0, at: new Date().toISOString(), type: 'failed', error, executionTimeMs: 0 },
});

function add({ entries }, body, changes) {
  const { executionId, leaseToken } = body;
  const fresh = { executionId, leaseToken, body, state: 'claimed', events: [], sentSeq: -1, ackedSeq: -1 };
  const entry = Object.assign(fresh, changes);
  entries.set(executionId, entry);
  return entry;
}

let runs = 0;

function begin({ context }, entry) {
  const { executions, breaks } = context;
  runs += 1;
  entry.state = 'running';
  const again = breaks('runs-repeated-offer-once') || breaks('survives-faults');
  const runId = again ? `${entry.executionId}.${runs}` : entry.executionId;
  const execution = executions.start({ ...entry.body, executionId: runId });
  entry.execution = execution;
  const take = (event) => {
    if (event.type === 'accepted') return;
    const seq = breaks('seq-rises') ? 1 : again ? entry.events.length + 1 : event.seq;
    entry.events.push({ ...event, seq, executionId: entry.executionId });
    context.say.events(entry);
  };
  execution.events.forEach(take);
  execution.listeners.add(take);
}

function refusalOf({ breaks, state, executions }, body) {
  if (!isOffer(body)) {
    if (breaks('isolates-bad-offer')) throw new Error('a malformed offer');
    return envelope('VALIDATION_ERROR', 'no execution request');
  }
  if (breaks('ignores-unknown') && !Object.keys(body).every((key) => KNOWN.has(key)))
    return envelope('VALIDATION_ERROR', 'unknown member');
  if (state.draining && !breaks('drains-on-directive'))
    return envelope('RUNNER_DRAINING', 'the runner is leaving');
  return executions.refusal(body);
}

function repeat(parts, known, body) {
  const { breaks, say } = parts.context;
  const runsAgain = breaks('runs-repeated-offer-once') || breaks('survives-faults');
  if (known.state === 'running' && runsAgain) return begin(parts, known);
  known.leaseToken = body.leaseToken;
  return known.state === 'claimed' ? say.accept(known) : say.events(known);
}

function offer(parts, body) {
  const { context, entries } = parts;
  const { breaks } = context;
  const known = entries.get(body.executionId);
  if (known) return repeat(parts, known, body);
  const refusal = refusalOf(context, body);
  if (refusal) {
    const events = [failed(body.executionId, refusal)];
    return context.say.events(add(parts, body, { state: 'refused', events }));
  }
  const entry = add(parts, body, {});
  if (breaks('waits-for-confirmation')) begin(parts, entry);
  if (breaks('accepts-in-time')) return setTimeout(() => context.say.accept(entry), LATE_MS);
  return context.say.accept(entry);
}

function confirm(parts, executionId, code) {
  const { context, entries } = parts;
  const entry = entries.get(executionId);
  if (!entry || (entry.state !== 'claimed' && !context.breaks('survives-faults'))) return;
  if (code && !context.breaks('leaves-denied-executions')) entries.delete(executionId);
  else begin(parts, entry);
}

function isEnded({ events, ackedSeq }) {
  const last = events.at(-1);
  return last !== undefined && TERMINAL.has(last.type) && ackedSeq >= last.seq;
}

/** The control plane takes no more of it. */
function lose({ context, entries }, entry) {
  if (context.breaks('forgets-superseded')) {
    entry.sentSeq = -1;
    setTimeout(() => context.say.events(entry), 300);
    return;
  }
  entry.execution?.controller.abort('user');
  entries.delete(entry.executionId);
}

function onLinkLost({ context, entries }) {
  for (const [id, entry] of entries) {
    if (entry.state !== 'running') entries.delete(id);
    else if (context.breaks('survives-lost-connection')) entry.execution.controller.abort('user');
  }
}

export function createHeld(context) {
  const entries = new Map();
  const parts = { context, entries };
  const idsOf = (isWanted) => [...entries.values()].filter(isWanted).map(({ executionId }) => executionId);
  return {
    offer: (body) => offer(parts, body),
    confirm: (executionId, code) => confirm(parts, executionId, code),
    acknowledge(executionId, seq, code) {
      const entry = entries.get(executionId);
      if (!entry) return;
      if (code) return lose(parts, entry);
      entry.ackedSeq = Math.max(entry.ackedSeq, seq);
      if (isEnded(entry) && !context.breaks('forgets-acknowledged')) entries.delete(executionId);
    },
    cancel: (executionId) => entries.get(executionId)?.execution?.controller.abort('user'),
    giveUp: (executionId) => entries.delete(executionId),
    has: (entry) => entries.get(entry.executionId) === entry,
    unsent: ({ events, sentSeq }) => events.filter(({ seq }) => seq > sentSeq),
    ids: () => idsOf((entry) => entry.state === 'running'),
    running: () => idsOf((entry) => entry.state === 'running' && !entry.execution.ended),
    isEmpty: () => entries.size === 0,
    onLinkLost: () => onLinkLost(parts),
    onLinkUp() {
      for (const entry of entries.values()) {
        if (!context.breaks('resends-until-acknowledged')) entry.sentSeq = entry.ackedSeq;
        context.say.events(entry);
      }
    },
  };
}
