// Rounds begin on a machine that rests: what a system still does after its round, such as writing pages out or clearing
// dead rows away, is not to slow the round of another.
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

const WINDOW_MS = 250;
const MOST_MS = 15_000;
/** Of one core: what idle servers, their timers and this process need. */
const RESTING = 0.1;

function busyMs() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

let isBusy = false;

/**
 * Resolves once all cores together were busy for less than a tenth of a core. A machine that does not rest within 15 s
 * is told of, and not waited for again.
 */
export async function quiet() {
  if (isBusy) return;
  // Where there is no such program, what is dirty is written when the system finds it is time.
  spawnSync('sync');
  const begun = performance.now();
  for (;;) {
    const [before, at] = [busyMs(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const busy = (busyMs() - before) / (performance.now() - at);
    if (busy < RESTING) return;
    if (performance.now() - begun > MOST_MS) {
      isBusy = true;
      console.warn(
        `the machine does other work too (${busy.toFixed(1)} of ${availableParallelism()} cores): ratios are less sure`,
      );
      return;
    }
  }
}
