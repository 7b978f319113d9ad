import type { Concurrency } from '@controlplane/contracts';
import type { LiveJob } from './live-job.js';

/** What jobs that share a concurrency key are up to. */
export interface ConcurrencyKeys {
  /** Whether one more job of these terms may run. */
  admits(concurrency: Concurrency): boolean;
  running(key: string): number;
  /** Takes a place of the key; undoing it is `exit`. */
  enter(job: LiveJob): void;
  exit(job: LiveJob): void;
  /** Counts a job among those of its key that have not ended. */
  join(job: LiveJob): void;
  leave(job: LiveJob): void;
  /** Jobs of a key that have not ended, in the order in which they came. */
  members(key: string): readonly LiveJob[];
}

interface Group {
  running: number;
  readonly members: Set<LiveJob>;
}

/** @param freed - hears of each key of which one may run more */
export function createConcurrencyKeys(freed: (key: string) => void): ConcurrencyKeys {
  const groups = new Map<string, Group>();
  const groupOf = (key: string): Group => {
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { running: 0, members: new Set() }));
    return group;
  };
  const tidy = (key: string, { running, members }: Group): void => {
    if (running === 0 && members.size === 0) groups.delete(key);
  };
  const running = (key: string): number => groups.get(key)?.running ?? 0;
  const change = (job: LiveJob, act: (group: Group, key: string) => void): void => {
    const { concurrency } = job.terms;
    if (concurrency === undefined) return;
    const group = groupOf(concurrency.key);
    act(group, concurrency.key);
    tidy(concurrency.key, group);
  };

  return {
    admits: ({ key, limit }) => running(key) < limit,
    running,
    enter: (job) => change(job, (group) => void (group.running += 1)),
    exit: (job) =>
      change(job, (group, key) => {
        group.running -= 1;
        freed(key);
      }),
    join: (job) => change(job, ({ members }) => void members.add(job)),
    leave: (job) => change(job, ({ members }) => void members.delete(job)),
    members: (key) => [...(groups.get(key)?.members ?? [])],
  };
}
