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
const { parentPort, Worker, workerData } = require('node:worker_threads');
const { layout, shared, sampler } = workerData;
const times = new BigInt64Array(shared, 0, layout.headerBytes / 8);
const counts = new Int32Array(shared, 0, layout.headerBytes / 4);
const bytes = Buffer.from(shared);
const MAX_REPLY_BYTES = 1048576;
const MAX_REPLIES = 100;
const SAMPLE_EVERY_NS = 60000000000n;

const sessions = new Map();
let pulseMs;
let timer;
let isSuspected = false;
let stalledMs = 0;
let stack;
let sampledNs;
let samplerThread;

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

function bodyOf({ runnerId, instanceId, status, draining }) {
  const executions = runningExecutions();
  return JSON.stringify({
    runnerId,
    instanceId,
    timestamp: new Date().toISOString(),
    status,
    activeJobs: executions.length,
    queuedJobs: 0,
    metrics: { eventLoopLagMs: stalledMs, memoryBytes: process.memoryUsage.rss() },
    executions,
    stalledMs,
    ...(draining ? { draining } : {}),
  });
}

function noteReply(session, text) {
  let reply;
  try {
    reply = JSON.parse(text);
  } catch (error) {
    session.problem = 'unreadable reply: ' + error.message;
    return;
  }
  const token = reply && reply.sessionCredential && reply.sessionCredential.token;
  if (typeof token === 'string') session.beat = { ...session.beat, authorization: 'Bearer ' + token };
  if (session.replies.length < MAX_REPLIES) session.replies.push(reply);
}

function readReply(session, response) {
  const chunks = [];
  let size = 0;
  response.on('error', (error) => {
    session.problem = error.message;
  });
  response.on('data', (chunk) => {
    size += chunk.length;
    if (size > MAX_REPLY_BYTES) response.destroy(new Error('the reply is longer than 1 MB'));
    else chunks.push(chunk);
  });
  response.on('end', () => {
    if (response.statusCode === 200) noteReply(session, Buffer.concat(chunks).toString());
    else session.problem = 'answered with status ' + response.statusCode;
  });
}

function sendBeat(session) {
  const { url: text, authorization, intervalMs } = session.beat;
  const body = bodyOf(session.beat);
  const url = new URL(text);
  const { request } = url.protocol === 'https:' ? require('node:https') : require('node:http');
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  if (authorization) headers.authorization = authorization;
  const options = { method: 'POST', headers, agent: false, timeout: intervalMs };
  const outgoing = request(url, options, (response) => readReply(session, response));
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within ' + intervalMs + ' ms')));
  outgoing.on('error', (error) => {
    session.problem = error.message;
  });
  outgoing.end(body);
}

const isFresh = (session) => ({ ...session, beats: 0, replies: [], problem: undefined });

function handOver() {
  isSuspected = false;
  if (stalledMs === 0) return;
  const told = [...sessions].map(([id, { beats, replies, problem }]) => ({ id, beats, replies, problem }));
  for (const [id, session] of sessions) sessions.set(id, isFresh(session));
  parentPort.postMessage({ stalledMs, sessions: told, stack });
  stalledMs = 0;
  stack = undefined;
  // In a call that cannot be interrupted it waits for the end of that, and so for the end of the stall at most.
  if (samplerThread) samplerThread.terminate();
  samplerThread = undefined;
}

/** Looks what the main thread is at, where that is wanted, and not again within a minute. */
function sample(nowNs) {
  if (!sampler || (sampledNs !== undefined && nowNs - sampledNs < SAMPLE_EVERY_NS)) return;
  sampledNs = nowNs;
  const resourceLimits = { maxOldGenerationSizeMb: 64, stackSizeMb: 1 };
  samplerThread = new Worker(sampler, { eval: true, execArgv: [], env: {}, resourceLimits });
  // Without an inspector, or with too little room for the program: the stall is told without its stack.
  samplerThread.on('error', () => undefined);
  samplerThread.on('message', (text) => {
    if (stalledMs > 0) stack = text;
  });
}

function dueInMs(id, { beat, ownBeatNs }, nowNs) {
  const beatNs = Atomics.load(times, layout.beats + id);
  return beat.intervalMs - msSince(beatNs > ownBeatNs ? beatNs : ownBeatNs, nowNs);
}

function standIn(nowNs) {
  for (const [id, session] of sessions) {
    if (dueInMs(id, session, nowNs) > 0) continue;
    session.ownBeatNs = nowNs;
    session.beats++;
    sendBeat(session);
  }
}

/** Milliseconds until the next look. */
function look() {
  const nowNs = process.hrtime.bigint();
  const silentMs = msSince(Atomics.load(times, layout.pulse), nowNs);
  const soonestMs = () => Math.min(...[...sessions].map(([id, session]) => dueInMs(id, session, nowNs)));
  if (silentMs < pulseMs * 2) {
    handOver();
    return Math.max(pulseMs, soonestMs());
  }
  if (!isSuspected) {
    isSuspected = true;
    return pulseMs / 2;
  }
  if (stalledMs === 0) sample(nowNs);
  stalledMs = Math.round(silentMs);
  standIn(nowNs);
  return Math.max(1, Math.min(pulseMs, soonestMs()));
}

function loop() {
  timer = setTimeout(loop, look());
}

parentPort.on('message', (told) => {
  pulseMs = told.pulseMs;
  const known = sessions.get(told.id) || isFresh({ ownBeatNs: 0n });
  sessions.set(told.id, { ...known, beat: told.beat });
  clearTimeout(timer);
  loop();
});
`;
