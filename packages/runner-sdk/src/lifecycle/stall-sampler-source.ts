/**
 * The program of a thread that looks once what the main thread is at, as text for the reasons of the watchdog's. It asks
 * the debugger within the process, which opens no port, to hold the main thread for a moment.
 *
 * It is a thread of its own, because the debugger tells of every script that is loaded, with its source map: that may be
 * more than the watchdog has room for. Where somebody holds the main thread already, it is left to them.
 */
export const STALL_SAMPLER_SOURCE = String.raw`'use strict';
const { parentPort } = require('node:worker_threads');
const { Session } = require('node:inspector');
const MAX_FRAMES = 20;
const session = new Session();
const urls = new Map();
let hasAsked = false;

const say = ({ functionName, location }) =>
  'at ' + (functionName || '<anonymous>') +
  ' (' + (urls.get(location.scriptId) || '<unknown>') + ':' + (location.lineNumber + 1) + ':' + ((location.columnNumber || 0) + 1) + ')';

// A session keeps no thread alive.
parentPort.on('message', () => undefined);
session.connectToMainThread();
session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
session.on('Debugger.paused', ({ params }) => {
  if (!hasAsked) return session.disconnect();
  const frames = params.callFrames.slice(0, MAX_FRAMES).map(say);
  parentPort.postMessage(frames.join('\n'));
  session.post('Debugger.resume', () => session.disconnect());
});
session.post('Debugger.enable', () => {
  hasAsked = true;
  session.post('Debugger.pause');
});
`;
