/** Messages that are on their way at once, to all and to one host: who answers slowly holds up nobody else. */
const MAX_AT_ONCE = 32;
const MAX_PER_HOST = 4;

/** Has work done a few at a time, and a few for each host. */
export interface Lanes {
  enter(host: string, work: () => Promise<void>): void;
}

interface Lane {
  running: number;
  readonly waiting: (() => Promise<void>)[];
}

export function createLanes(): Lanes {
  const lanes = new Map<string, Lane>();
  let running = 0;

  const start = (host: string, lane: Lane, work: () => Promise<void>): void => {
    running += 1;
    lane.running += 1;
    void work().finally(() => {
      running -= 1;
      lane.running -= 1;
      if (lane.running === 0 && lane.waiting.length === 0) lanes.delete(host);
      pump();
    });
  };
  /** Whoever was served last goes to the end, so that all hosts have their turn. */
  const rotate = (host: string, lane: Lane): void => {
    if (lanes.delete(host)) lanes.set(host, lane);
  };
  function pump(): void {
    for (const [host, lane] of lanes) {
      while (running < MAX_AT_ONCE && lane.running < MAX_PER_HOST) {
        const work = lane.waiting.shift();
        if (work === undefined) break;
        start(host, lane, work);
      }
      if (running >= MAX_AT_ONCE) return rotate(host, lane);
    }
  }

  return {
    enter(host, work) {
      const lane = lanes.get(host) ?? { running: 0, waiting: [] };
      lanes.set(host, lane);
      lane.waiting.push(work);
      pump();
    },
  };
}
