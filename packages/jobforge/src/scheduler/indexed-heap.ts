/** What an {@link IndexedHeap} holds: it notes here where each stands, so that it finds it again. */
export interface Placed {
  /** Place in the heap; -1 while in none. An item is in one heap at a time. */
  place: number;
}

/** A heap whose members' order may change while they are in it. */
export interface IndexedHeap<T extends Placed> {
  readonly size: number;
  peek(): T | undefined;
  /** Puts an item where it belongs, whether or not it is there. */
  settle(item: T): void;
  /** What is not there is no error. */
  remove(item: T): void;
  items(): readonly T[];
}

export function createIndexedHeap<T extends Placed>(
  goesFirst: (left: T, right: T) => boolean,
): IndexedHeap<T> {
  const items: T[] = [];

  const put = (item: T, place: number): void => {
    items[place] = item;
    item.place = place;
  };

  const rise = (item: T): void => {
    let at = item.place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (!goesFirst(item, above)) break;
      put(above, at);
      at = parent;
    }
    put(item, at);
  };

  const firstChildOf = (at: number): number => {
    const left = 2 * at + 1;
    const right = left + 1;
    return right < items.length && goesFirst(items[right] as T, items[left] as T) ? right : left;
  };

  const sink = (item: T): void => {
    let at = item.place;
    for (let child = firstChildOf(at); child < items.length; child = firstChildOf(at)) {
      const below = items[child] as T;
      if (!goesFirst(below, item)) break;
      put(below, at);
      at = child;
    }
    put(item, at);
  };

  const settle = (item: T): void => {
    if (item.place < 0) {
      items.push(item);
      item.place = items.length - 1;
    }
    rise(item);
    sink(item);
  };

  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    settle,
    remove(item) {
      const { place } = item;
      if (place < 0) return;
      item.place = -1;
      const last = items.pop();
      if (last === undefined || last === item) return;
      put(last, place);
      settle(last);
    },
    items: () => items,
  };
}
