/** A callback and its time. Of two with the same time, the lower id comes first. */
export interface Timer {
  readonly dueMs: number;
  readonly id: number;
  readonly callback: () => void;
}

/** Makes a list that keeps timers in the order in which they run. */
export function createTimerList() {
  const list: Timer[] = [];
  const isBefore = (a: Pick<Timer, 'dueMs' | 'id'>, b: Pick<Timer, 'dueMs' | 'id'>): boolean =>
    a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.id < b.id);

  const placeOf = (timer: Pick<Timer, 'dueMs' | 'id'>): number => {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = list[middle];
      if (other && isBefore(other, timer)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    add: (timer: Timer) => void list.splice(placeOf(timer), 0, timer),
    remove(timer: Timer): void {
      const place = placeOf(timer);
      if (list[place] === timer) list.splice(place, 1);
    },
    /** Takes the next one that is due by then. */
    takeDue: (untilMs: number): Timer | undefined =>
      list[0] !== undefined && list[0].dueMs <= untilMs ? list.shift() : undefined,
    size: () => list.length,
  };
}
