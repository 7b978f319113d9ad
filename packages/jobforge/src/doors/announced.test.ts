import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Log } from '../model/log.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createReadAnnounced } from './announced.js';

const Said = z.object({
  name: z.string().min(1),
  secret: z.string().max(3),
  endpoint: z.string().max(3).optional(),
  at: z.object({ host: z.string() }).optional(),
});

function opened() {
  const log = vi.fn<Log>();
  const clock = createManualClock();
  const read = createReadAnnounced(log, clock);
  const refusal = (said: unknown): string => {
    try {
      read(Said, said);
    } catch (error) {
      return (error as Error).message;
    }
    return 'taken';
  };
  return { log, clock, refusal };
}

it.each([
  [{ name: '', secret: '' }, 'name', '""'],
  [{ secret: '' }, 'name', 'missing'],
  [{ name: 'n', secret: 'shibboleth' }, 'secret', 'not shown'],
  [{ name: { password: 'shibboleth' }, secret: '' }, 'name', 'an object'],
  [{ name: 'n', secret: '', at: { host: 7 } }, 'at.host', '7'],
  [{ name: 'n', secret: '', endpoint: 'http://me:shibboleth@host/' }, 'endpoint', '"http://…@host/"'],
  ['shibboleth', 'the whole of it', '"shibboleth"'],
])('%j is refused: %s is %s', (said, field, value) => {
  const { log, refusal } = opened();
  const message = refusal(said);
  expect(message).toContain(`${field}: `);
  expect(message).toContain(`(it is ${value})`);
  expect(log).toHaveBeenCalledExactlyOnceWith(
    'warn',
    expect.any(String),
    expect.objectContaining({ field, value }),
  );
  if (typeof said !== 'string')
    expect(`${message}${JSON.stringify(log.mock.calls)}`).not.toContain('shibboleth');
});

it('is said thirty times a minute, and how often it was not', () => {
  const { log, clock, refusal } = opened();
  for (let count = 0; count < 40; count += 1) refusal({});
  expect(log).toHaveBeenCalledTimes(30);
  clock.advance(60_000);
  refusal({});
  expect(log).toHaveBeenLastCalledWith('warn', expect.any(String), expect.objectContaining({ unsaid: 10 }));
});
