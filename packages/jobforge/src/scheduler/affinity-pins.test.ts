import { describe, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { createAffinityPins } from './affinity-pins.js';
import type { Execution, RunnerEntry } from './live-job.js';
import { waitingJob } from './waiting-job.fixture.js';

const runner = (name: string): RunnerEntry =>
  ({ name, leaving: false, vitals: { lost: false, draining: false }, marks: {} }) as unknown as RunnerEntry;
const on = (entry: RunnerEntry, affinity: string): Execution =>
  ({ runner: entry, job: waitingJob(1, { placement: { affinity } }) }) as unknown as Execution;

describe('an affinity key', () => {
  it('stays with its runner while a job of it runs, and for a while after', () => {
    const clock = createManualClock();
    const pins = createAffinityPins(clock, 1_000);
    const one = runner('one');
    pins.enter(on(one, 'k'));
    clock.advance(60_000);
    expect(pins.of('k')).toBe(one);
    pins.exit(on(one, 'k'));
    clock.advance(1_000);
    expect(pins.of('k')).toBe(one);
    clock.advance(1);
    expect(pins.of('k')).toBeUndefined();
  });

  it.each([
    ['is lost', { vitals: { lost: true, draining: false } }],
    ['drains', { vitals: { lost: false, draining: true } }],
    ['leaves', { leaving: true }],
    ['is disabled', { marks: { disabled: { since: '' } } }],
  ])('goes to another when its runner %s, and what ends there later changes nothing', (_, change) => {
    const pins = createAffinityPins(createManualClock(), 1_000);
    const [one, two] = [runner('one'), runner('two')];
    pins.enter(on(one, 'k'));
    Object.assign(one, change);
    expect(pins.of('k')).toBeUndefined();
    pins.enter(on(two, 'k'));
    pins.exit(on(one, 'k'));
    expect(pins.of('k')).toBe(two);
  });

  it('is not taken along by a job of it that runs elsewhere', () => {
    const pins = createAffinityPins(createManualClock(), 1_000);
    const [one, two] = [runner('one'), runner('two')];
    pins.enter(on(one, 'k'));
    pins.enter(on(two, 'k'));
    expect(pins.of('k')).toBe(one);
  });

  it('is forgotten before those in use, where there are very many', () => {
    const pins = createAffinityPins(createManualClock(), 1_000_000, 100);
    const one = runner('one');
    pins.enter(on(one, 'in use'));
    pins.enter(on(one, 'idle'));
    pins.exit(on(one, 'idle'));
    for (let at = 0; at < 100; at += 1) {
      pins.enter(on(one, `k${at}`));
      pins.exit(on(one, `k${at}`));
    }
    expect(pins.of('in use')).toBe(one);
    expect(pins.of('idle')).toBeUndefined();
    expect(pins.of('k99')).toBe(one);
  });
});
