import { expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { createRest } from './rest.js';

it('a rest is longer each time until something was taken, and half a minute at most', () => {
  const clock = createManualClock();
  let overs = 0;
  const rest = createRest(clock, () => void (overs += 1));
  const lasts = (): number => {
    rest.begin();
    const [since, before] = [clock.now(), overs];
    while (rest.isOn()) {
      rest.begin();
      clock.advance(500);
    }
    expect(overs).toBe(before + 1);
    return clock.now() - since;
  };
  expect([1, 2, 3, 4, 5, 6, 7].map(lasts)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  rest.forget();
  expect(lasts()).toBe(1_000);
});
