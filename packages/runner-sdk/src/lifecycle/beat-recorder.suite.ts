import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/** One heartbeat as it arrived. */
export interface RecordedBeat {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

const SOURCE = String.raw`'use strict';
const { createServer } = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const beats = [];
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString());
    beats.push({ atMs: Date.now(), path: request.url, authorization: request.headers.authorization, body });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(workerData.reply));
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage('http://127.0.0.1:' + server.address().port));
parentPort.on('message', () => parentPort.postMessage(beats));
`;

/**
 * Records heartbeats in a thread of its own, because the test blocks its main thread.
 * @param reply - what every heartbeat is answered with
 */
export async function startBeatRecorder(reply: object = { known: true, receiving: true, directives: [] }) {
  const thread = new Worker(SOURCE, { eval: true, execArgv: [], workerData: { reply } });
  onTestFinished(async () => void (await thread.terminate()));
  const [url] = (await once(thread, 'message')) as [string];
  return {
    url,
    async beats(): Promise<RecordedBeat[]> {
      const answer = once(thread, 'message');
      thread.postMessage('beats');
      return ((await answer) as [RecordedBeat[]])[0];
    },
  };
}

/** Blocks this thread, as a handler that computes for long does. */
export function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
