import type { ServerResponse } from 'node:http';
import type { AutomnLine } from '@controlplane/contracts/automn';
import type { Clock, TimerHandle } from '../../util/clock.js';

/** Writes the answer to one job, a line at a time: no more than the bounds of an execution's log and result let through. */
export interface LineWriter {
  readonly response: ServerResponse;
  /** Sends the head, so that the other side sees that the job runs. */
  open(): void;
  write(line: AutomnLine): void;
  end(): void;
}

/**
 * Bytes that may wait for a reader who does not keep up, before what a script says of its progress is left out: unlike
 * its output, nothing else bounds that.
 */
const MAX_WAITING_BYTES = 1024 * 1024;

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

  function rest(): void {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
  }
  function put(line: AutomnLine): void {
    response.write(`${JSON.stringify(line)}\n`);
    rest();
    timer = clock.setTimeout(() => put({ type: 'progress' }), quietMs);
  }
  function open(): void {
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': contentType,
      'cache-control': 'no-cache, no-transform',
      'x-content-type-options': 'nosniff',
    });
    response.flushHeaders();
    timer = clock.setTimeout(() => put({ type: 'progress' }), quietMs);
  }
  response.on('close', rest);
  return {
    response,
    open,
    write(line) {
      if (response.destroyed || response.writableEnded) return;
      open();
      if (line.type === 'progress' && response.writableLength > MAX_WAITING_BYTES) return;
      put(line);
    },
    end() {
      rest();
      if (!response.destroyed) response.end();
    },
  };
}
