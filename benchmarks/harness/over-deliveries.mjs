import { createJobForge } from '@controlplane/jobforge';
import { startProcess } from './child.mjs';
import { interleaved } from './interleaved.mjs';
import { quantile, report, round } from './report.mjs';

const ROUNDS = 5;

/** The machine's time in milliseconds: the same in every process. */
export const now = () => performance.timeOrigin + performance.now();

async function open(delivery, environment) {
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  const runner = await startProcess('sdk-server.mjs', {
    JOBFORGE_URL: forge.url,
    WAIT_READY: '1',
    DELIVERY: delivery,
    ...environment,
  });
  return { forge, runner };
}

/**
 * Reports how long something takes over each delivery: JobForge in this process, each runner in another.
 * @param title what is measured
 * @param measure with a JobForge and its runner, resolves to times in milliseconds
 * @param options `aim` of a delivery and a quantile: words that are added to the figure's name; `environment` of runners
 */
export async function overDeliveries(title, measure, { aim, environment = {} }) {
  const lines = {};
  for (const delivery of ['push', 'websocket', 'long-poll'])
    lines[delivery] = await open(delivery, environment);
  try {
    const variants = Object.fromEntries(
      Object.entries(lines).map(([name, line]) => [name, () => measure(line)]),
    );
    await interleaved(variants, 1);
    const results = await interleaved(variants, ROUNDS);
    const figures = {};
    for (const [name, rounds] of Object.entries(results)) {
      const all = rounds.flat();
      figures[`${name}, p50 ms${aim(name, 'p50')}`] = round(quantile(all, 0.5), 3);
      figures[`${name}, p99 ms${aim(name, 'p99')}`] = round(quantile(all, 0.99), 3);
    }
    report(title, figures);
  } finally {
    for (const { forge, runner } of Object.values(lines)) {
      await runner.stop();
      await forge.stop({ drainMs: 1 });
    }
  }
}
