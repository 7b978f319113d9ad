/**
 * The program of the watchdog thread, as text: started from text it needs no file of its own, so it works from the ES
 * module, from CommonJS, bundled into one file and under a test runner alike. It is no function turned into text,
 * because minifiers and coverage tools rewrite functions with names that the thread does not know.
 *
 * It sleeps until a heartbeat is due, and looks then whether the main thread has shown a sign of life. Where it has,
 * the heartbeat is the main thread's own. Where it has not, at two looks in a row (a suspended machine wakes with old
 * signs), the thread beats in its stead until the next sign.
 */
export const WATCHDOG_SOURCE = String.raw`'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { layout, shared } = workerData;
const times = new BigInt64Array(shared, 0, 2);
const counts = new Int32Array(shared, 0, layout.headerBytes / 4);
const bytes = Buffer.from(shared);
const MAX_REPLY_BYTES = 1048576;
const MAX_REPLIES = 100;

let identity;
let timer;
let suspectedAt;
let ownBeatNs = 0n;
let stall;

const msSince = (ns, nowNs) => Number(nowNs - ns) / 1e6;

function runningExecutions() {
  const ids = [];
  const used = Atomics.load(counts, layout.used);
  for (let slot = 0; slot < used; slot++) {
    const start = layout.headerBytes + slot * layout.slotBytes;
    const length = bytes[start];
    if (length === 0) continue;
    const id = bytes.latin1Slice(start + 1, start + 1 + length);
    if (/^[A-Za-z0-9._:-]+$/.test(id)) ids.push(id);
  }
  return ids;
}

function beatBody(stalledMs) {
  const executions = runningExecutions();
  return JSON.stringify({
    runnerId: identity.runnerId,
    instanceId: identity.instanceId,
    timestamp: new Date().toISOString(),
    status: identity.status,
    activeJobs: executions.length,
    queuedJobs: 0,
    metrics: { eventLoopLagMs: stalledMs, memoryBytes: process.memoryUsage.rss() },
    executions,
    stalledMs,
    ...(identity.draining ? { draining: true } : {}),
  });
}

function note(problem, reply) {
  if (!stall) return;
  if (problem) stall.problem = problem;
  if (!reply) return;
  const token = reply.sessionCredential && reply.sessionCredential.token;
  if (typeof token === 'string') identity = { ...identity, authorization: 'Bearer ' + token };
  if (stall.replies.length < MAX_REPLIES) stall.replies.push(reply);
}

function readReply(response) {
  const chunks = [];
  let size = 0;
  response.on('error', (error) => note(error.message));
  response.on('data', (chunk) => {
    size += chunk.length;
    if (size > MAX_REPLY_BYTES) response.destroy(new Error('the reply is longer than 1 MB'));
    else chunks.push(chunk);
  });
  response.on('end', () => {
    if (response.statusCode !== 200) return note('answered with status ' + response.statusCode);
    try {
      note(undefined, JSON.parse(Buffer.concat(chunks).toString()));
    } catch (error) {
      note('unreadable reply: ' + error.message);
    }
  });
}

function beat(stalledMs) {
  const body = beatBody(stalledMs);
  const url = new URL(identity.url);
  const { request } = url.protocol === 'https:' ? require('node:https') : require('node:http');
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  if (identity.authorization) headers.authorization = identity.authorization;
  const outgoing = request(url, { method: 'POST', headers, agent: false, timeout: identity.intervalMs }, readReply);
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within ' + identity.intervalMs + ' ms')));
  outgoing.on('error', (error) => note(error.message));
  outgoing.end(body);
}

function handOver() {
  if (stall) parentPort.postMessage(stall);
  stall = undefined;
  suspectedAt = undefined;
}

/** Milliseconds until the next look. */
function look() {
  const nowNs = process.hrtime.bigint();
  const stalledMs = msSince(Atomics.load(times, layout.pulse), nowNs);
  const beatNs = Atomics.load(times, layout.beat);
  const lastNs = beatNs > ownBeatNs ? beatNs : ownBeatNs;
  const dueInMs = identity.intervalMs - msSince(lastNs, nowNs);
  if (stalledMs < identity.pulseMs * 2) {
    handOver();
    return Math.max(identity.pulseMs, dueInMs);
  }
  if (suspectedAt === undefined) {
    suspectedAt = nowNs;
    return identity.pulseMs / 2;
  }
  stall = stall || { kind: 'stalled', beats: 0, replies: [] };
  stall.stalledMs = Math.round(stalledMs);
  if (dueInMs <= 0) {
    ownBeatNs = nowNs;
    stall.beats++;
    beat(stall.stalledMs);
  }
  return Math.min(identity.pulseMs, Math.max(1, dueInMs > 0 ? dueInMs : identity.pulseMs));
}

function loop() {
  timer = setTimeout(loop, look());
}

parentPort.on('message', (told) => {
  identity = told;
  clearTimeout(timer);
  loop();
});
`;
