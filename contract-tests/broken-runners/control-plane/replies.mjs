/** What a proxy that breaks one requirement makes of the requests and replies that pass. */

const isJob = /^\/jobs\/[^/]+$/;
const html = { status: 500, text: '<h1>broken</h1>', type: 'text/html' };

const rewritten = (reply, change) => ({ ...reply, text: JSON.stringify(change(JSON.parse(reply.text))) });

/** A request as it is passed on. */
export function rewriteRequest(request, { broken, token }) {
  const { method, path, headers } = request;
  if (broken('control-plane.refuses-unauthorized') && !headers.authorization)
    return { ...request, headers: { ...headers, authorization: `Bearer ${token}` } };
  if (broken('control-plane.resumes-events') && headers['last-event-id']) {
    const { 'last-event-id': _left, ...rest } = headers;
    return { ...request, headers: rest };
  }
  const isSubmission = method === 'POST' && path === '/jobs';
  if (broken('control-plane.honours-priority') && isSubmission) {
    const { priority: _priority, ...job } = JSON.parse(request.text);
    return { ...request, text: JSON.stringify(job) };
  }
  if (broken('control-plane.submits-once') && isSubmission) {
    const { id: _id, ...job } = JSON.parse(request.text);
    return { ...request, text: JSON.stringify(job) };
  }
  return request;
}

/** A registration that was accepted. */
function rewriteWelcome(body, { broken }) {
  if (broken('control-plane.registers-runners')) return { ...body, registeredAt: 7 };
  if (broken('control-plane.keeps-runner-id')) return { ...body, runnerId: crypto.randomUUID() };
  return broken('control-plane.signs-dispatches')
    ? { ...body, signingKey: 'whsec_c29tZSBvdGhlciBrZXk=' }
    : body;
}

function rewriteRegister(reply, context, request) {
  const { broken } = context;
  if (broken('control-plane.refuses-other-major') && reply.status === 409)
    return { ...reply, status: 200, text: JSON.stringify({ runnerId: 'r' }) };
  if (broken('control-plane.tolerates-unknown') && request.text.includes('kitFuture'))
    return { ...reply, status: 400 };
  return reply.status === 200 ? rewritten(reply, (body) => rewriteWelcome(body, context)) : reply;
}

/** Each is about a job that ends without a runner. */
const END_KEPT = [
  'control-plane.fails-lost-writes',
  'control-plane.cancels-waiting-jobs',
  'control-plane.expires-waiting-jobs',
];

function rewriteJob(reply, { broken, seen, offersAgain }) {
  if (broken('control-plane.checks-output') && reply.status === 200)
    return rewritten(reply, ({ error: _error, ...job }) => ({ ...job, status: 'completed' }));
  const isFlipped = broken('control-plane.records-results-once') && seen.lateEvents > 0;
  if (isFlipped) return rewritten(reply, (job) => ({ ...job, status: 'cancelled' }));
  return END_KEPT.some(broken) && !offersAgain && reply.status === 200
    ? rewritten(reply, ({ error: _error, ...job }) => ({ ...job, status: 'queued' }))
    : reply;
}

function rewriteHandover(reply, { broken, seen }, path) {
  if (path.endsWith('/accept')) seen.claims += 1;
  if (broken('control-plane.repeats-answers') && seen.claims > 1)
    return { ...reply, status: 409, text: '{"success":false,"error":{"code":"LEASE_SUPERSEDED"}}' };
  if (path.endsWith('/events')) seen.events += 1;
  if (seen.events > 1) seen.lateEvents += 1;
  if (broken('control-plane.fences-artifacts') && path.includes('/artifacts/'))
    return { ...reply, status: 201 };
  const fences = broken('control-plane.fences-superseded') && reply.status === 409;
  return fences ? { ...reply, status: 200, text: '{"accepted":true,"acknowledgedSeq":1}' } : reply;
}

/** Each is about an offer that comes with a poll. */
const EMPTIED = [
  'control-plane.waits-for-a-runner',
  'control-plane.finds-by-job-type',
  'control-plane.retries-on-request',
  'control-plane.survives-cut-polls',
];

/** Replies to other questions, each under the requirement that such a change breaks. */
const READ = [
  [/^\/jobs\/[^/]+\/logs$/, 'control-plane.caps-logs', (text) => text.replaceAll('"droppedBytes"', '"d"')],
  [
    /^\/jobs\/[^/]+\/logs$/,
    'control-plane.keeps-characters-whole',
    (text) => text.replace('\u{1F600}', '\u{FFFD}'),
  ],
  [/^\/jobs\/[^/]+\/why$/, 'control-plane.tells-why', () => '{}'],
  [/^\/jobs\/[^/]+\/artifacts\//, 'control-plane.keeps-artifacts', (text) => text.slice(1)],
  [/^\/jobs\/batch$/, 'control-plane.takes-batches', () => '{"jobs":[]}'],
  [/^\/jobs$/, 'control-plane.lists-jobs', () => '{"items":[]}'],
  [/^\/capabilities$/, 'control-plane.lists-capabilities', () => '{"items":[]}'],
  [/^\/readyz$/, 'control-plane.serves-probes', () => '{"ok":false}'],
];

/** Rules by what was asked: the first whose path fits. */
const RULES = [
  [/^\/runners\/register$/, rewriteRegister],
  [/^\/executions\//, (reply, context, { path }) => rewriteHandover(reply, context, path)],
  [isJob, rewriteJob],
  [
    /^\/runners\/heartbeat$/,
    (reply, { broken }) =>
      broken('control-plane.answers-heartbeats')
        ? rewritten(reply, (body) => ({ ...body, known: false }))
        : broken('control-plane.tells-unknown-runners')
          ? { ...reply, status: 200, text: '{"known":true,"receiving":true,"directives":[]}' }
          : reply,
  ],
  [
    /^\/jobs$/,
    (reply, { broken }) => {
      if (broken('control-plane.rejects-malformed') && reply.status === 400) return { ...reply, ...html };
      if (broken('control-plane.refuses-oversized') && reply.status === 413) return { ...reply, ...html };
      return broken('control-plane.checks-input') && reply.status === 400
        ? { ...reply, status: 202, text: '{"id":"j"}' }
        : reply;
    },
  ],
  [
    /^\/health$/,
    (reply, { broken }) => (broken('control-plane.answers-health') ? { ...reply, status: 503 } : reply),
  ],
  [
    /^\/runners\/[^/]+\/poll$/,
    (reply, { broken, seen }) => {
      if (broken('control-plane.hands-over-checkpoints'))
        return { ...reply, text: reply.text.replaceAll('"checkpoint":', '"kept":') };
      const isEmptied =
        EMPTIED.some(broken) ||
        broken('control-plane.offers-over-long-poll') ||
        broken('control-plane.moves-lost-work') ||
        (broken('control-plane.takes-back-work') && seen.handedBack);
      return isEmptied ? { ...reply, text: '{"frames":[]}' } : reply;
    },
  ],
  [
    /^\/runners\/[^/]+$/,
    (reply, { broken }) =>
      broken('control-plane.lists-runners')
        ? rewritten(reply, (body) => ({ ...body, capabilities: [] }))
        : reply,
  ],
  [
    /^\/kit-no-such-path$/,
    (reply, { broken }) =>
      broken('control-plane.unknown-route') ? { ...reply, ...html, status: 404 } : reply,
  ],
];

/** A reply as it is passed on. */
export function rewriteReply(reply, request, context) {
  const [, , change] = READ.find(([pattern, id]) => context.broken(id) && pattern.test(request.path)) ?? [];
  if (change && (request.method === 'GET' || request.path.endsWith('/batch')))
    return { ...reply, text: change(reply.text) };
  const [, rule] = RULES.find(([pattern]) => pattern.test(request.path)) ?? [];
  return rule ? rule(reply, context, request) : reply;
}

/** Requests that are answered here and not passed on. */
export function swallows({ method, path, text }, { broken, seen }) {
  if (broken('control-plane.takes-back-work') && text.includes('RUNNER_SHUTDOWN')) {
    seen.handedBack = true;
    return true;
  }
  if (broken('control-plane.holds-polls') && path.endsWith('/poll')) return true;
  return broken('control-plane.pushes-jobs') && method === 'POST' && path === '/jobs';
}
