import type { Clock } from '../model/clock.js';
import type { DoorParts } from './door.js';
import { createForeignRunner, type ForeignRunner } from './foreign-runner.js';

/** The runners behind one door, each from one of its connections to the next. */
export interface RunnersByIdentity<Runner> {
  /** By what tells it from the others; one that is not known is made. */
  of(identity: string): Runner;
  /** One that is known. */
  find(identity: string): Runner | undefined;
}

export type ForeignRunners = RunnersByIdentity<ForeignRunner>;

/** How often those are forgotten that have gone. */
const LOOK_MS = 60_000;
/** Beyond this many, those that have gone are looked for at once. */
const MANY = 1_000;

/** @param make - makes one that is not known */
export function createRunnersByIdentity<Runner extends { readonly isIdle: () => boolean }>(
  clock: Clock,
  make: (identity: string) => Runner,
): RunnersByIdentity<Runner> {
  const runners = new Map<string, Runner>();
  let looking = false;
  const look = (): void => {
    for (const [identity, runner] of runners) if (runner.isIdle()) runners.delete(identity);
  };
  const lookLater = (): void => {
    if (looking) return;
    looking = true;
    clock.after(LOOK_MS, () => {
      looking = false;
      look();
      if (runners.size > 0) lookLater();
    });
  };
  return {
    of(identity) {
      const known = runners.get(identity);
      if (known !== undefined) return known;
      if (runners.size >= MANY) look();
      const runner = make(identity);
      runners.set(identity, runner);
      lookLater();
      return runner;
    },
    find: (identity) => runners.get(identity),
  };
}

export const createForeignRunners = (parts: DoorParts): ForeignRunners =>
  createRunnersByIdentity(parts.clock, () => createForeignRunner(parts));
