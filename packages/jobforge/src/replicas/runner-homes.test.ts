import { describe, expect, it } from 'vitest';
import { createRunnerHomes } from './runner-homes.js';

const saying = (...ids: string[]): string => JSON.stringify(ids.map((id) => ({ id })));

describe('where runners are', () => {
  it('is what the others said last', () => {
    const homes = createRunnerHomes();
    homes.update([
      { id: 1, runners: saying('a', 'b') },
      { id: 2, runners: saying('c') },
    ]);
    expect(['a', 'b', 'c', 'd'].map(homes.homeOf)).toEqual([1, 1, 2, undefined]);
    homes.update([{ id: 2, runners: saying('c', 'a') }]);
    expect(['a', 'b', 'c'].map(homes.homeOf)).toEqual([2, undefined, 2]);
    expect(homes.runners().map(({ id }) => id)).toEqual(['c', 'a']);
  });

  it('is with the one that has heard of it, where several know it', () => {
    const homes = createRunnerHomes();
    const known = (status: string): string => JSON.stringify([{ id: 'a', status }]);
    homes.update([
      { id: 1, runners: known('healthy') },
      { id: 2, runners: known('offline') },
    ]);
    expect([homes.homeOf('a'), homes.isThere('a')]).toEqual([1, true]);
    homes.update([
      { id: 1, runners: known('offline') },
      { id: 2, runners: known('degraded') },
    ]);
    expect([homes.homeOf('a'), homes.isThere('a')]).toEqual([2, true]);
    homes.update([{ id: 1, runners: known('offline') }]);
    expect([homes.homeOf('a'), homes.isThere('a'), homes.isThere('b')]).toEqual([1, false, false]);
  });

  it('is read once where it is said again', () => {
    const homes = createRunnerHomes();
    homes.update([{ id: 1, runners: saying('a') }]);
    const [before] = homes.runners();
    homes.update([{ id: 1, runners: saying('a') }]);
    expect(homes.runners()[0]).toBe(before);
  });

  it('is where one has gone, until that one tells or has had time to', () => {
    const homes = createRunnerHomes();
    const others = (...ids: string[]) => [{ id: 1, runners: saying(...ids) }];
    homes.update(others());
    homes.moved('a', 1);
    homes.moved('b', 1);
    expect(['a', 'b'].map(homes.homeOf)).toEqual([1, 1]);
    homes.update(others('a'));
    expect(['a', 'b'].map(homes.homeOf)).toEqual([1, 1]);
    homes.update(others());
    expect(['a', 'b'].map(homes.homeOf)).toEqual([undefined, 1]);
    for (let round = 0; round < 5; round += 1) homes.update(others());
    expect(homes.homeOf('b')).toBeUndefined();
    homes.moved('c', 2);
    homes.update(others());
    expect(homes.homeOf('c')).toBeUndefined();
  });
});
