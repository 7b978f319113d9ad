import type { ServerResponse } from 'node:http';
import type { AutomnLine } from '@controlplane/contracts/automn';
import type { Clock, TimerHandle } from '../../util/clock.js';

/** Bytes that may wait for a reader that is slow; output beyond is left out, and said to be. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Writes the answer to one job, a line at a time. */
export interface LineWriter {
  readonly response: ServerResponse;
  /** Sends the head, so that the other side sees that the job runs. */
  open(): void;
  write(line: AutomnLine): void;
  end(): void;
}

/** How an answer is written. */
export interface LineWriterOptions {
  readonly contentType: string;
  /** Milliseconds without a line after which one is written: the other side gives up what is silent. */
  readonly quietMs: number;
  readonly clock: Clock;
}

/**
 * Makes the writer of one answer.
 * @param response - a response that nothing has been written to
 */
export function createLineWriter(
  response: ServerResponse,
  { contentType, quietMs, clock }: LineWriterOptions,
): LineWriter {
  let timer: TimerHandle | undefined;
  let leftOutBytes = 0;

  function open(): void {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': contentType,
      'cache-control': 'no-cache, no-transform',
      'x-content-type-options': 'nosniff',
    });
    response.flushHeaders();
    wait();
  }
  function rest(): void {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
  }
  function wait(): void {
    rest();
    timer = clock.setTimeout(() => {
      // The reader that is behind has enough to read.
      if (response.writableLength === 0) put({ type: 'progress' });
      wait();
    }, quietMs);
  }
  function put(line: AutomnLine): void {
    response.write(`${JSON.stringify(line)}\n`);
  }
  function sayLeftOut(): void {
    if (leftOutBytes === 0) return;
    const bytes = leftOutBytes;
    leftOutBytes = 0;
    put({ type: 'log', line: `\n[${bytes} bytes of output left out: they were not read in time]\n` });
  }
  response.on('close', rest);
  response.on('drain', () => {
    if (!response.writableEnded) sayLeftOut();
  });
  return {
    response,
    open,
    write(line) {
      if (response.destroyed || response.writableEnded) return;
      open();
      if (line.type === 'log' && response.writableLength > MAX_WAITING_BYTES) {
        leftOutBytes += Buffer.byteLength(line.line);
        return;
      }
      if (line.type === 'result') sayLeftOut();
      put(line);
      wait();
    },
    end() {
      rest();
      if (!response.destroyed) response.end();
    },
  };
}
