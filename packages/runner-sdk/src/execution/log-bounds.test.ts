import { ExecutionEvent, type LogEvent } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import type { CapabilityContext } from '../capability/capability-context.js';
import { createExecutorFixture, settle, createTalk } from './executor-fixture.js';
import type { ExecutorLimits } from './executor.js';

/** What one execution said that did all its talking at once. */
async function hear(speak: (ctx: CapabilityContext) => unknown, limits: Partial<ExecutorLimits>) {
  const { start, requestOf } = createExecutorFixture([createTalk(speak)], { limits });
  const { events, last } = await start(requestOf('talk'));
  await settle();
  const logs = events.filter((event): event is LogEvent => event.type === 'log');
  for (const event of events) expect(ExecutionEvent.safeParse(event).success).toBe(true);
  expect(events.map(({ seq }) => seq)).toEqual([...events.keys()]);
  return { logs, last: last(), text: logs.map(({ message }) => message).join('') };
}

describe('the log of an execution', () => {
  test('keeps its first and its last lines within the bytes, and the end says what is missing', async () => {
    const { logs, last } = await hear(
      ({ log }) => {
        for (let index = 0; index < 100; index++) log.info(`${index}`.padStart(100, '.'));
      },
      { maxLogBytes: 2200 },
    );
    const numbers = logs.map(({ message }) => Number(message.replaceAll('.', '')));
    expect(numbers).toEqual([...Array(11).keys(), ...Array.from({ length: 11 }, (_, index) => 89 + index)]);
    expect(last).toMatchObject({ type: 'succeeded', droppedEvents: 78, droppedBytes: 7800 });
  });

  test('counts fields, and gives the last half what the first left over', async () => {
    const { logs, last } = await hear(
      ({ log }) => {
        for (let index = 0; index < 10; index++) log.info('x'.repeat(38), { index });
      },
      { maxLogBytes: 201 },
    );
    expect(logs.map(({ fields }) => fields?.index)).toEqual([0, 1, 8, 9]);
    expect(last).toMatchObject({ droppedEvents: 6, droppedBytes: 6 * 49 });
  });

  test('is bounded in events too: lines without text are dropped as well', async () => {
    const { logs, last } = await hear(
      ({ log }) => {
        for (let index = 0; index < 5000; index++) log.info('');
      },
      { maxLogEvents: 100 },
    );
    expect(logs).toHaveLength(100);
    expect(last).toMatchObject({ droppedEvents: 4900 });
  });

  test('that fits is sent as it comes and misses nothing', async () => {
    const { logs, last } = await hear(({ log }) => log.info('x'.repeat(50)), { maxLogBytes: 100 });
    expect(logs).toHaveLength(1);
    expect(last).not.toHaveProperty('droppedEvents');
    expect(last).not.toHaveProperty('droppedBytes');
  });
});

describe('child output', () => {
  const MARK = 'aü😀';
  const burst = Buffer.from(MARK.repeat(30_000));
  const bytesOf = (text: string): number => Buffer.byteLength(text);

  test('of 200 KB in one burst, split within characters, leaves exactly the cap, head and tail', async () => {
    const { text, last, logs } = await hear(
      ({ output }) => {
        // 1021 is no multiple of the mark's 7 bytes: most chunks end within a character.
        for (let start = 0; start < burst.length; start += 1021)
          output('stdout', burst.subarray(start, start + 1021));
      },
      { maxLogBytes: 49_000 },
    );
    expect(bytesOf(text)).toBe(49_000);
    expect(text).toBe(MARK.repeat(7_000));
    expect(last).toMatchObject({ droppedBytes: burst.length - 49_000 });
    expect(logs.every(({ stream }) => stream === 'stdout')).toBe(true);
  });

  test.each([49_001, 49_002, 50 * 1024, 777])(
    'never exceeds a cap of %i bytes, nor splits a character at it',
    async (maxLogBytes) => {
      const { text, last } = await hear(({ output }) => output('stdout', burst), { maxLogBytes });
      expect(text).not.toContain('\ufffd');
      expect(bytesOf(text)).toBeLessThanOrEqual(maxLogBytes);
      expect(bytesOf(text)).toBeGreaterThan(maxLogBytes - 8);
      expect(bytesOf(text) + ((last as { droppedBytes?: number }).droppedBytes ?? 0)).toBe(burst.length);
    },
  );

  test('is gathered into pieces of at most 64 KB', async () => {
    const { logs, text } = await hear(({ output }) => output('stderr', burst), {});
    expect(text).toBe(MARK.repeat(30_000));
    expect(logs).toHaveLength(4);
    for (const { message, level } of logs) {
      expect(bytesOf(message)).toBeLessThanOrEqual(64 * 1024);
      expect(level).toBe('warn');
    }
  });

  test('that gathers is sent after 250 ms', async () => {
    let write: CapabilityContext['output'] = () => undefined;
    const { start, requestOf, clock } = createExecutorFixture([
      createTalk(({ output }) => {
        write = output;
        return new Promise(() => undefined);
      }),
    ]);
    const { types, last } = await start(requestOf('talk'));
    write('stdout', 'one ');
    await clock.advance(200);
    write('stdout', 'two');
    await clock.advance(49);
    expect(types()).toEqual(['accepted']);
    await clock.advance(1);
    expect(last()).toMatchObject({ type: 'log', message: 'one two', stream: 'stdout', level: 'info' });
  });

  test('stands in order with lines of log, and half a character at the end is replaced', async () => {
    const { logs } = await hear(({ output, log }) => {
      output('stdout', 'before');
      log.info('line');
      output('stdout', burst.subarray(0, 2));
    }, {});
    expect(logs.map(({ message }) => message)).toEqual(['before', 'line', 'a\ufffd']);
  });

  test('given as text keeps surrogate pairs together', async () => {
    const { text } = await hear(({ output }) => {
      output('stdout', '\ud83d');
      output('stdout', '\ude00');
    }, {});
    expect(text).toBe('😀');
  });
});
