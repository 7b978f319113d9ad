import { expect, it } from 'vitest';
import type { RunnerEntry } from '../scheduler/live-job.js';
import { silentLog } from '../model/log.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createStaleRunners } from './stale-runners.js';

interface Known {
  readonly id: string;
  active: number;
  readonly vitals: { unheard: boolean; lost: boolean };
}

/** Runners that are known here, and those that another replica has heard of. */
function stage(...ids: string[]) {
  const known = (id: string): Known => ({ id, active: 0, vitals: { unheard: true, lost: false } });
  const entries = new Map(ids.map((id) => [id, known(id)]));
  const elsewhere = new Set(ids);
  const clock = createManualClock();
  const registry = {
    entries: () => entries.values(),
    release: ({ id }: RunnerEntry) => void entries.delete(id),
  };
  const runners = createStaleRunners({
    recovery: { state: { clock, log: silentLog }, registry } as never,
    homes: { isThere: (id) => elsewhere.has(id) },
  });
  const look = (): string[] => {
    clock.advance(3_000);
    runners.look();
    return [...entries.keys()];
  };
  return { entries, elsewhere, look, known };
}

it('a runner that is with another replica goes, once that was seen for a while', () => {
  const { look } = stage('a');
  expect([look(), look(), look()]).toEqual([['a'], ['a'], []]);
});

it('one that was lost here goes, and one that is heard here stays', () => {
  const { entries, look } = stage('lost', 'heard');
  for (const [id, { vitals }] of entries) Object.assign(vitals, { unheard: false, lost: id === 'lost' });
  look();
  look();
  expect(look()).toEqual(['heard']);
});

it('one that runs something here, or is nowhere else, stays as long as that is so', () => {
  const { entries, elsewhere, look } = stage('runs', 'gone');
  Object.assign(entries.get('runs') ?? {}, { active: 1 });
  elsewhere.delete('gone');
  look();
  look();
  expect(look()).toEqual(['runs', 'gone']);
  Object.assign(entries.get('runs') ?? {}, { active: 0 });
  look();
  look();
  expect(look()).toEqual(['gone']);
});

it('one that came back meanwhile is another, and is seen anew', () => {
  const { entries, known, look } = stage('a');
  look();
  entries.set('a', known('a'));
  expect([look(), look(), look()]).toEqual([['a'], ['a'], []]);
});
