import type { Store } from '../store/store.js';

/** A store that says what it has been asked and not answered yet. */
export interface CountedStore {
  readonly store: Store;
  asked(): number;
}

type Deed = (...args: unknown[]) => unknown;

export function countedStore(store: Store): CountedStore {
  let asked = 0;
  const counting =
    (deed: Deed): Deed =>
    (...args) => {
      const answer = deed(...args);
      if (!(answer instanceof Promise)) return answer;
      asked += 1;
      return answer.finally(() => (asked -= 1));
    };
  const counted = <T extends object>(all: T): T =>
    Object.fromEntries(
      Object.entries(all).map(([name, one]: [string, unknown]) => [
        name,
        typeof one === 'function' ? counting(one as Deed) : one,
      ]),
    ) as T;
  const { shared } = store;
  return {
    asked: () => asked,
    store: {
      ...counted(store),
      ...(shared && { shared: { join: async () => counted(await shared.join()) } }),
    },
  };
}
