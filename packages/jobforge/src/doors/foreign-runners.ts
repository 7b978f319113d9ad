import type { DoorParts } from './door.js';
import { createForeignRunner, type ForeignRunner } from './foreign-runner.js';

/** The runners behind one door, each from one of its connections to the next. */
export interface ForeignRunners {
  /** By what tells it from the others. */
  of(identity: string): ForeignRunner;
}

/** How often those are forgotten that have gone. */
const LOOK_MS = 60_000;
/** Beyond this many, those that have gone are looked for at once. */
const MANY = 1_000;

export function createForeignRunners(parts: DoorParts): ForeignRunners {
  const runners = new Map<string, ForeignRunner>();
  let looking = false;
  const look = (): void => {
    for (const [identity, runner] of runners) if (runner.isIdle()) runners.delete(identity);
  };
  const lookLater = (): void => {
    if (looking) return;
    looking = true;
    parts.clock.after(LOOK_MS, () => {
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
      const runner = createForeignRunner(parts);
      runners.set(identity, runner);
      lookLater();
      return runner;
    },
  };
}
