/** A binary heap: the first by order is always at hand. */
export interface Heap<T> {
  readonly size: number;
  peek(): T | undefined;
  push(item: T): void;
  pop(): T | undefined;
  /** Drops what does not pass. */
  retain(passes: (item: T) => boolean): void;
  /** In no order that could be relied on. */
  items(): readonly T[];
}

export function createHeap<T>(goesFirst: (left: T, right: T) => boolean): Heap<T> {
  const items: T[] = [];

  const rise = (item: T): void => {
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (!goesFirst(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  };

  const firstChildOf = (at: number): number => {
    const left = 2 * at + 1;
    const right = left + 1;
    return right < items.length && goesFirst(items[right] as T, items[left] as T) ? right : left;
  };

  const sink = (item: T): void => {
    let at = 0;
    for (let child = firstChildOf(at); child < items.length; child = firstChildOf(at)) {
      const below = items[child] as T;
      if (!goesFirst(below, item)) break;
      items[at] = below;
      at = child;
    }
    items[at] = item;
  };

  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    push: rise,
    pop() {
      const top = items[0];
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
      return top;
    },
    items: () => items,
    retain(passes) {
      const kept = items.filter(passes);
      items.length = 0;
      for (const item of kept) rise(item);
    },
  };
}
