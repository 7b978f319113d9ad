import { describe, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { createAgenda } from './agenda.js';

describe('an agenda', () => {
  it('does things in the order of their time, with whatever was added when', () => {
    const clock = createManualClock(0);
    const agenda = createAgenda(clock);
    const done: number[] = [];
    for (const at of [50, 10, 30, 20, 40]) agenda.add(at, () => done.push(at));
    clock.advance(25);
    expect(done).toEqual([10, 20]);
    agenda.add(26, () => done.push(26));
    clock.advance(100);
    expect(done).toEqual([10, 20, 26, 30, 40, 50]);
  });

  it('does nothing once it is stopped', () => {
    const clock = createManualClock(0);
    const agenda = createAgenda(clock);
    const done: number[] = [];
    agenda.add(10, () => done.push(10));
    agenda.stop();
    clock.advance(100);
    expect(done).toEqual([]);
  });

  it('drops what no longer matters when there is much of it', () => {
    const clock = createManualClock(0);
    const agenda = createAgenda(clock);
    let asked = 0;
    for (let index = 0; index < 10_000; index += 1)
      agenda.add(
        1_000_000,
        () => undefined,
        () => (asked += 1) < 0,
      );
    expect(asked).toBe(10_000);
  });
});
