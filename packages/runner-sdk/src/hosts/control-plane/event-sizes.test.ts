import { expect, test } from 'vitest';
import { fitEvent } from './event-sizes.js';

const at = '2026-01-01T00:00:00.000Z';

test('an end that the control plane could not read is told as that, with the part to blame', () => {
  const data = { id: 1, rows: [{ text: 'x'.repeat(5000) }] };
  const event = { type: 'succeeded', executionId: 'e', seq: 3, at, executionTimeMs: 1, data } as const;
  expect(fitEvent(event, { maxBytes: 10_000, service: 'images' })).toBe(event);
  expect(fitEvent(event, { maxBytes: 4000, service: 'images' })).toMatchObject({
    type: 'failed',
    seq: 3,
    error: {
      code: 'PAYLOAD_TOO_LARGE',
      retryable: false,
      message: expect.stringContaining('; its largest part is result.rows[0].text with 5002 bytes'),
    },
  });
});
