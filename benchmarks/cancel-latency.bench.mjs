// From the request to cancel a job to the abort of its handler's signal, over each delivery: JobForge in this process, the
// runner in another, a handler that waits and never asks. Both clocks are the machine's.
import { createJobForge } from '@controlplane/jobforge';
import { startProcess } from './harness/child.mjs';
import { interleaved } from './harness/interleaved.mjs';
import { quantile, report, round } from './harness/report.mjs';

const JOBS = 100;
const ROUNDS = 5;
const now = () => performance.timeOrigin + performance.now();

async function open(delivery) {
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  const runner = await startProcess('sdk-server.mjs', {
    JOBFORGE_URL: forge.url,
    WAIT_READY: '1',
    DELIVERY: delivery,
  });
  return { forge, runner };
}

const measure =
  ({ forge, runner }) =>
  async () => {
    const took = [];
    for (let index = 0; index < JOBS; index += 1) {
      const job = await forge.submit({ capability: 'bench.wait', input: { text: 'x', times: 1 } });
      await runner.ask({ kind: 'waiting' });
      const asked = now();
      await job.cancel();
      const { at } = await runner.ask({ kind: 'stopped' });
      took.push(at - asked);
      await job.result();
    }
    return took;
  };

const lines = {};
for (const delivery of ['push', 'websocket', 'long-poll']) lines[delivery] = await open(delivery);
try {
  const variants = Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, measure(line)]));
  await interleaved(variants, 1);
  const results = await interleaved(variants, ROUNDS);
  const figures = {};
  for (const [name, rounds] of Object.entries(results)) {
    const all = rounds.flat();
    figures[`${name}, p50 ms`] = round(quantile(all, 0.5), 3);
    figures[`${name}, p99 ms (aim ≤ 100)`] = round(quantile(all, 0.99), 3);
  }
  report("cancel: request to the abort of the handler's signal", figures);
} finally {
  for (const { forge, runner } of Object.values(lines)) {
    await runner.stop();
    await forge.stop({ drainMs: 1 });
  }
}
