import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { createDispatchSigner, newSigningKey } from './dispatch-signature.js';

const BODY = '{"jobId":"a","payload":{"text":"snow ☃"}}';

/** Whether the reference implementation takes a signature. */
function verifies(key: string, headers: Record<string, string>, body = BODY): boolean {
  try {
    new Webhook(key).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

describe('the signature of a dispatch', () => {
  // The reference implementation reads the machine's own clock.
  const clock = createManualClock(Date.now());

  it('is the one of the Standard Webhooks scheme', () => {
    const key = newSigningKey();
    expect(key).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const headers = createDispatchSigner(key, clock).headers(BODY);
    expect(verifies(key, headers)).toBe(true);
    expect(verifies(key, headers, `${BODY} `)).toBe(false);
    expect(verifies(newSigningKey(), headers)).toBe(false);
    expect(verifies(key, { ...headers, 'webhook-id': 'msg_other' })).toBe(false);
  });

  it('has another id each time', () => {
    const signer = createDispatchSigner(newSigningKey(), clock);
    expect(signer.headers(BODY)['webhook-id']).not.toBe(signer.headers(BODY)['webhook-id']);
  });

  it('is made with the old and the new key for a minute after a rotation, then with the new one', () => {
    const [old, next] = [newSigningKey(), newSigningKey()];
    const moved = createManualClock(Date.now());
    const signer = createDispatchSigner(old, moved);
    signer.rotate(next);
    moved.advance(59_999);
    const during = signer.headers(BODY);
    expect([verifies(old, during), verifies(next, during)]).toEqual([true, true]);
    moved.advance(1);
    const after = signer.headers(BODY);
    expect([verifies(old, after), verifies(next, after)]).toEqual([false, true]);
  });
});
