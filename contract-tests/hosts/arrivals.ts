/**
 * @module
 * Doubles of the control planes of other kinds, written from what those say on their wires, and a real runner with real
 * capabilities at each. A double keeps their quirks, and can be told to misbehave.
 */

/** Milliseconds that a busy machine may take for what is to happen. */
const PATIENCE_MS = 30_000;

/** What has arrived, in order, and whoever waits for more of it. */
export interface Arrivals<T> {
  readonly all: readonly T[];
  push(one: T): void;
  /** Told of each that comes from now on, until what it returns is called. */
  watch(see: (one: T) => void): () => void;
  /** The first that matches, of those that are there and those that come. Rejects when none comes in half a minute. */
  first(matches: (one: T) => boolean): Promise<T>;
  /** Resolves when so many match. */
  count(matches: (one: T) => boolean, count: number): Promise<readonly T[]>;
}

/** Makes the list, empty. */
export function createArrivals<T>(): Arrivals<T> {
  const all: T[] = [];
  const waiters = new Set<() => void>();
  const watchers = new Set<(one: T) => void>();

  function until<R>(look: () => R | undefined): Promise<R> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiters.delete(check);
        reject(
          new Error(`not among ${all.length} arrivals: ${JSON.stringify(all.slice(-20)).slice(0, 4_000)}`),
        );
      }, PATIENCE_MS);
      function check(): void {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        waiters.delete(check);
        resolve(found);
      }
      waiters.add(check);
      check();
    });
  }

  return {
    all,
    push(one) {
      all.push(one);
      for (const check of [...waiters]) check();
      for (const see of [...watchers]) see(one);
    },
    watch(see) {
      watchers.add(see);
      return () => void watchers.delete(see);
    },
    first: async (matches) => (await until(() => wrapped(all.find(matches)))).value,
    count: (matches, count) =>
      until(() => {
        const found = all.filter(matches);
        return found.length >= count ? found : undefined;
      }),
  };
}

const wrapped = <T>(value: T | undefined): { readonly value: T } | undefined =>
  value === undefined ? undefined : { value };
