/**
 * Runs jobs, several at once, in the given order.
 * @returns their values in the same order
 */
export async function runLanes<T>(jobs: readonly (() => Promise<T>)[], lanes: number): Promise<T[]> {
  const values: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const job = jobs[index];
      if (!job) return;
      values[index] = await job();
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, lane));
  return values;
}
