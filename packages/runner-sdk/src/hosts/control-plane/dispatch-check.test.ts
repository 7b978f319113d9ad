import { describe, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { createVirtualClock } from '../../util/virtual-clock.js';
import { createDispatchCheck } from './dispatch-check.js';

const KEY = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

/** Headers by the reference implementation of the scheme. */
function sign(
  key: string,
  body: string,
  { id = 'msg_1', atMs = Date.UTC(2026, 0, 1) } = {},
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(atMs / 1000)),
    'webhook-signature': new Webhook(key).sign(id, new Date(atMs), body),
  };
}

function withKey(key = KEY) {
  const clock = createVirtualClock();
  const check = createDispatchCheck(clock);
  check.setKey(key);
  return { clock, check };
}

describe('a dispatch', () => {
  test('passes unsigned while the control plane has given no key', () => {
    expect(createDispatchCheck(createVirtualClock()).verify({}, '{}')).toBeUndefined();
  });

  test('passes once when it is signed', () => {
    const { check } = withKey();
    const headers = sign(KEY, '{"a":1}');
    expect(check.verify(headers, '{"a":1}')).toBeUndefined();
    expect(check.verify(headers, '{"a":1}')).toBe('the message "msg_1" was received before');
  });

  test.each([
    { what: 'no signature', headers: {}, expected: 'the request is not signed' },
    {
      what: 'a signature of another body',
      headers: sign(KEY, '[]'),
      expected: 'not one of a key that is valid here',
    },
    { what: 'another key', headers: sign(OTHER, '{}'), expected: 'not one of a key that is valid here' },
    {
      what: 'no number for a time',
      headers: { ...sign(KEY, '{}'), 'webhook-timestamp': 'soon' },
      expected: 'is of soon',
    },
    {
      what: 'a time long ago',
      headers: sign(KEY, '{}', { atMs: Date.UTC(2025, 11, 31) }),
      expected: 'more than 5 minutes',
    },
    {
      what: 'a time to come',
      headers: sign(KEY, '{}', { atMs: Date.UTC(2026, 0, 2) }),
      expected: 'more than 5 minutes',
    },
  ])('is refused with $what', ({ headers, expected }) => {
    expect(withKey().check.verify(headers, '{}')).toMatch(expected);
  });

  test('of a refused signature does not use up its id', () => {
    const { check } = withKey();
    check.verify({ ...sign(KEY, '{}'), 'webhook-signature': 'v1,AAAA' }, '{}');
    expect(check.verify(sign(KEY, '{}'), '{}')).toBeUndefined();
  });

  test('passes with the former key for a minute, and with either of two signatures', async () => {
    const { clock, check } = withKey();
    check.setKey(OTHER);
    expect(check.verify(sign(KEY, '{}'), '{}')).toBeUndefined();
    const two = sign(OTHER, '{}', { id: 'msg_2' });
    two['webhook-signature'] = `v1,AAAA ${two['webhook-signature']}`;
    expect(check.verify(two, '{}')).toBeUndefined();
    await clock.advance(60_001);
    expect(check.verify(sign(KEY, '{}', { id: 'msg_3' }), '{}')).toMatch('not one of a key');
    expect(check.verify(sign(OTHER, '{}', { id: 'msg_4' }), '{}')).toBeUndefined();
  });

  test('received before is refused as long as its time is taken', async () => {
    const { clock, check } = withKey();
    const headers = sign(KEY, '{}');
    check.verify(headers, '{}');
    await clock.advance(299_000);
    expect(check.verify(headers, '{}')).toMatch('was received before');
  });
});
