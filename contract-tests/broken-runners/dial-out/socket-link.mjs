/** The link over a WebSocket: dials GET /runners/connect, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { batchOf, leaseOf } from './batches.mjs';
import { afterMsOf, pauseMs } from './pauses.mjs';
import { heartbeat, registration } from './registration.mjs';
import { dial } from './web-socket.mjs';

const PING_MS = 10_000;
const HANDSHAKE_MS = 10_000;
const KNOWN = new Set('ready refused heartbeat offers confirmed acknowledged directives'.split(' '));

function target({ url, breaks }) {
  const token = process.env.RUNNER_TOKEN;
  const query = token && breaks('keeps-credential-out-of-url') ? `?token=${token}` : '';
  const headers = token && !breaks('authenticates') ? { authorization: `Bearer ${token}` } : {};
  return { href: `${url.replace(/^http/, 'ws')}/runners/connect${query}`, headers };
}

function sendEvents(context, entry) {
  const { live, held } = context;
  if (!live?.isReady) return;
  for (let unsent = held.unsent(entry); unsent.length > 0; unsent = held.unsent(entry)) {
    const events = batchOf(unsent, context);
    entry.sentSeq = Math.max(...events.map(({ seq }) => seq));
    const { executionId } = entry;
    live.send({ type: 'events', executions: [{ executionId, ...leaseOf(entry, context), events }] });
  }
}

function createSay(context) {
  const waiting = new Set();
  const flush = () => {
    const entries = [...waiting];
    waiting.clear();
    for (const entry of entries) sendEvents(context, entry);
  };
  return {
    accept(entry) {
      const claim = { executionId: entry.executionId, ...leaseOf(entry, context) };
      const executions = context.breaks('valid-messages') ? [claim, { executionId: 7 }] : [claim];
      context.live?.send({ type: 'accept', executions });
    },
    events(entry) {
      if (context.breaks('gathers-events') || context.breaks('seq-rises')) return sendEvents(context, entry);
      if (waiting.size === 0) setImmediate(flush);
      return waiting.add(entry);
    },
  };
}

function obey(context, directive) {
  const { kind, executionId } = directive;
  if (kind === 'cancel') context.held.cancel(executionId);
  if (kind === 'register') context.live?.register();
  if (kind === 'drain' && !context.breaks('drains-on-directive')) void context.leave('drain');
  if (kind !== 'reconnect') return;
  context.leastMs = afterMsOf(directive, context);
  context.live?.close(1000);
}

function onReady(context, { registration: reply }) {
  const { state, live, held } = context;
  clearTimeout(live.handshake);
  state.runnerId = reply.runnerId;
  state.maxBodyBytes = reply.limits?.maxBodyBytes;
  context.attempt = 0;
  if (live.isReady) return;
  live.isReady = true;
  clearInterval(live.beating);
  live.beating = setInterval(
    () => live.send({ type: 'heartbeat', heartbeat: heartbeat(context) }),
    reply.heartbeatIntervalMs,
  );
  held.onLinkUp();
}

const LISTENERS = {
  ready: onReady,
  refused(context, { error }) {
    context.retryAfterSeconds = error.retryAfter;
    context.isRefused = !error.retryable;
  },
  heartbeat(context, { reply }) {
    for (const directive of reply.directives ?? []) obey(context, directive);
    if (reply.known === false) context.live.register();
  },
  offers(context, { executions }) {
    for (const body of executions) context.held.offer(body);
  },
  confirmed(context, { executions }) {
    for (const { executionId, code } of executions) context.held.confirm(executionId, code);
  },
  acknowledged(context, { executions }) {
    for (const { executionId, seq, code } of executions) context.held.acknowledge(executionId, seq, code);
  },
  directives(context, { directives }) {
    for (const directive of directives) obey(context, directive);
  },
};

function onText(context, text) {
  let frame;
  try {
    frame = JSON.parse(text);
  } catch (error) {
    if (context.breaks('survives-garbage')) throw error;
    return context.live.close(4003);
  }
  if (!KNOWN.has(frame.type)) return undefined;
  try {
    return LISTENERS[frame.type](context, frame);
  } catch (error) {
    console.error(error);
    return undefined;
  }
}

/** Gives a connection up whose ping is not answered by the next. */
function watch(context, socket, live) {
  let isAwaited = false;
  live.heard = () => {
    isAwaited = false;
  };
  if (context.breaks('notices-silence')) return;
  live.watching = setInterval(() => {
    if (isAwaited) return socket.terminate();
    isAwaited = true;
    return socket.ping();
  }, PING_MS);
}

function open(context, socket) {
  const { breaks } = context;
  const send = (frame) => socket.send(JSON.stringify(frame));
  const live = {
    isReady: false,
    send,
    close: (code) => socket.close(code),
    register: () =>
      send({ type: 'register', registration: registration('websocket', context.held.ids(), context) }),
  };
  context.live = live;
  watch(context, socket, live);
  if (breaks('registers-first'))
    send({ type: 'heartbeat', heartbeat: heartbeat({ ...context, state: { runnerId: 'r' } }) });
  live.register();
  if (breaks('waits-for-ready'))
    send({ type: 'heartbeat', heartbeat: heartbeat({ ...context, state: { runnerId: 'r' } }) });
  if (!breaks('gives-up-without-ready')) live.handshake = setTimeout(() => socket.close(4004), HANDSHAKE_MS);
}

function onEnd(context, body) {
  const { live, breaks } = context;
  for (const timer of [live?.handshake, live?.beating, live?.watching]) clearInterval(timer);
  context.live = undefined;
  if (live?.isReady) context.held.onLinkLost();
  if (body === undefined) return;
  try {
    const { error } = JSON.parse(body);
    context.retryAfterSeconds = error.retryAfter;
    context.isRefused = !error.retryable && !breaks('stops-when-upgrade-refused');
  } catch {
    // No envelope: a proxy between; it is tried again.
  }
}

function connectOnce(context) {
  const { href, headers } = target(context);
  return new Promise((resolve) => {
    dial(href, {
      headers,
      protocol: context.breaks('speaks-subprotocol') ? undefined : 'controlplane.v1',
      answersPings: !context.breaks('answers-pings'),
      onOpen: (socket) => open(context, socket),
      onText: (text) => {
        context.live?.heard();
        onText(context, text);
      },
      onPong: () => context.live?.heard(),
      onClose(body) {
        onEnd(context, body);
        resolve();
      },
    });
  });
}

export async function runSocketLink(context) {
  context.say = createSay(context);
  context.attempt = 0;
  context.deregister = async () => {
    const { live } = context;
    if (!context.breaks('leaves-with-a-frame')) live?.send({ type: 'deregister', reason: 'stopped' });
    live?.close(1000);
  };
  while (!context.state.left) {
    await connectOnce(context);
    if (context.isRefused || context.state.left) return;
    const { attempt, retryAfterSeconds, leastMs = 0 } = context;
    context.attempt += 1;
    await sleep(Math.max(pauseMs(attempt, { breaks: context.breaks, retryAfterSeconds }), leastMs));
    context.retryAfterSeconds = undefined;
    context.leastMs = 0;
  }
}
