import type { ExecutionEvent } from '@controlplane/contracts';
import { expect, test } from 'vitest';
import { createFrameWriter } from './frame-writer.js';
import type { OfferedExecution } from './offered-executions.js';

const LIMIT = 16 * 1024;

/** An execution that has logged so many lines and told of none. */
function chatty(executionId: string, lines: number): OfferedExecution {
  const events = Array.from({ length: lines }, (_, index): ExecutionEvent => ({
    executionId,
    seq: index + 1,
    at: new Date(0).toISOString(),
    type: 'log',
    level: 'info',
    message: `line ${index}`,
  }));
  return {
    executionId,
    leaseToken: 'a-lease',
    subscription: {
      eventsFrom: (seq: number) => events.slice(seq - 1),
      dataJson: () => undefined,
      detach: () => undefined,
      acknowledge: () => undefined,
    },
    claim: undefined,
    isClaimable: true,
    isRefusal: false,
    sentSeq: 0,
    acknowledgedSeq: 0,
    terminalSeq: undefined,
  };
}

test('no frame is longer than the control plane reads at once, also of one execution that says much', async () => {
  const frames: string[] = [];
  const writer = createFrameWriter({
    send: (text) => frames.push(text) > 0,
    isOpen: () => true,
    service: 'r',
  });
  writer.setLimit(LIMIT);
  for (const id of ['e1', 'e2']) writer.events(chatty(id, 400));
  await expect.poll(() => frames.join('').match(/"seq"/g)?.length, { timeout: 15_000 }).toBe(800);
  expect(Math.max(...frames.map((frame) => Buffer.byteLength(frame)))).toBeLessThanOrEqual(LIMIT);
  expect(frames.length).toBeGreaterThan(4);
});
