import { describe, expect, test } from 'vitest';
import { toSafeJson, truncateText } from './safe-json.js';

describe('toSafeJson', () => {
  test('redacts by the name of the key, at any depth', () => {
    expect(toSafeJson({ user: 'ada', password: 'x', nested: [{ apiKey: 'y', accessToken: 'z' }] })).toEqual({
      user: 'ada',
      password: '[redacted]',
      nested: [{ apiKey: '[redacted]', accessToken: '[redacted]' }],
    });
  });

  test('survives cycles, getters and proxies that throw, and values that JSON does not know', () => {
    const cycle: Record<string, unknown> = {
      big: 12n,
      fn: () => 1,
      symbol: Symbol('s'),
      nan: Number.NaN,
      none: undefined,
    };
    cycle['self'] = cycle;
    Object.defineProperty(cycle, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    expect(toSafeJson({ cycle, hostile, when: new Date(Number.NaN) })).toEqual({
      cycle: {
        big: '12',
        fn: '[function]',
        symbol: 'Symbol(s)',
        nan: 'NaN',
        self: '[circular]',
        bad: '[unreadable]',
      },
      hostile: '[unreadable]',
      when: null,
    });
  });

  test('is bounded in depth, width and text', () => {
    let deep: object = {};
    for (let level = 0; level < 50; level++) deep = { deep };
    expect(JSON.stringify(toSafeJson(deep))).toContain('[deeper]');
    expect(toSafeJson(Array.from({ length: 500 }, () => 1))).toHaveLength(100);
    expect(JSON.stringify(toSafeJson('x'.repeat(1e6))).length).toBeLessThan(9000);
  });

  test('keeps a member called __proto__ a member', () => {
    const copied = toSafeJson(JSON.parse('{"__proto__":{"admin":true}}'));
    expect(Object.keys(copied as object)).toEqual(['__proto__']);
    expect((copied as { admin?: boolean }).admin).toBeUndefined();
  });
});

test('truncateText leaves no half character', () => {
  expect(truncateText('ab😀cd', 3)).toBe('ab… [4 more]');
});
