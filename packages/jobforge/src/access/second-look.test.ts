import { describe, expect, it } from 'vitest';
import { JobForgeError } from '../model/job-forge-error.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createSecondLook } from './second-look.js';

const invalid = (): never => {
  throw new JobForgeError('CREDENTIAL_INVALID');
};

describe('a second look', () => {
  it('is taken where the first was refused, after everything was read anew', async () => {
    let known = false;
    const again = createSecondLook(async () => void (known = true), createManualClock());
    expect(await again(() => (known ? 'let in' : invalid()))).toBe('let in');
  });

  it('is not taken where the first was not, or where nothing that is read could change it', () => {
    const again = createSecondLook(() => Promise.reject(new Error('read')), createManualClock());
    expect(again(() => 'let in')).toBe('let in');
    const expired = (): never => {
      throw new JobForgeError('TOKEN_EXPIRED');
    };
    expect(() => again(expired)).toThrow(JobForgeError);
  });

  it('costs one reading for all that ask at once, and another a tenth of a second later', async () => {
    const clock = createManualClock();
    let readings = 0;
    const again = createSecondLook(async () => void (readings += 1), clock);
    const guesses = (): Promise<unknown> => Promise.allSettled([again(invalid), again(invalid)]);
    await guesses();
    expect(readings).toBe(1);
    const later = guesses();
    await Promise.resolve();
    expect(readings).toBe(1);
    clock.advance(100);
    await later;
    expect(readings).toBe(2);
  });

  it('refuses nobody for good where the store cannot be read', async () => {
    const again = createSecondLook(() => Promise.reject(new Error('gone')), createManualClock());
    await expect(Promise.resolve(again(invalid))).rejects.toMatchObject({
      envelope: { code: 'STORE_UNAVAILABLE', retryable: true },
    });
  });
});
