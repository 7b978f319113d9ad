import { describe, expect, test } from 'vitest';
import { createIsolated, dataOf, type Kind } from './isolated-executor.suite.js';

describe.each<Kind>(['thread', 'process'])('a handler in a %s of its own', (kind) => {
  test('may return what only JSON can carry', async () => {
    const { start } = createIsolated(kind);
    expect(await start({ do: 'unusual' }).ended).toMatchObject({ type: 'succeeded', data: { json: true } });
  });

  test('has its result written as JSON writes it: what is of a class says how', async () => {
    const { start } = createIsolated(kind);
    const point = { x: 1, y: 2 };
    const event = await start({ do: 'instances' }).ended;
    expect(JSON.parse(JSON.stringify(dataOf(event)))).toEqual({
      amount: '1.10',
      url: 'http://127.0.0.1/a',
      bytes: { type: 'Buffer', data: [97] },
      point,
      when: '1970-01-01T00:00:00.000Z',
      list: ['2', null, null],
      keyed: {},
    });
    expect(dataOf(event)['keyed']).toEqual(new Map([['one', '1']]));
  });

  test.each([
    ['unreadable', 'cannot be written as JSON: not now'],
    ['aFunction', 'cannot be written as JSON: it is a function'],
  ])('is told of a result that JSON cannot be made of: %s', async (what, message) => {
    const { start } = createIsolated(kind);
    expect(await start({ do: what }).ended).toMatchObject({
      error: { code: 'OUTPUT_INVALID', retryable: false, message: expect.stringContaining(message) },
    });
  });

  test('has its checkpoints written as JSON writes them', async () => {
    const { start } = createIsolated(kind);
    const { events, ended } = start({ do: 'keep' });
    await ended;
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'checkpoint',
        data: { amount: '1.10', url: 'http://127.0.0.1/a' },
      }),
    );
  });

  test('is given what its schemas make of input and checkpoint, and may answer with a Date', async () => {
    const { start } = createIsolated(kind);
    const of = { capabilityId: `parsing.${kind}` };
    const given = { url: 'http://a.test/2020' };
    expect(await start(given, of).ended).toMatchObject({ type: 'succeeded', data: 2020 });
    const later = start(given, { ...of, checkpoint: { url: 'http://a.test/1999' } });
    expect(await later.ended).toMatchObject({ type: 'succeeded', data: 1999 });
    expect(await start({ url: 'none' }, of).ended).toMatchObject({ error: { code: 'VALIDATION_ERROR' } });
  });

  test('that logs faster than it is read and returns says how many lines were left out', async () => {
    const { start } = createIsolated(kind);
    const { events, ended } = start({ do: 'burst' });
    await ended;
    expect(events.at(-2)).toMatchObject({
      type: 'log',
      level: 'warn',
      message: expect.stringMatching(/^5000 lines or pieces of output were left out/),
    });
  });
});
