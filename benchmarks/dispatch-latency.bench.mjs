// From the submission of a job to the first line of its handler, over each delivery: JobForge in this process, the runner
// in another, one job at a time on a machine that does nothing else. Both clocks are the machine's.
import { createJobForge } from '@controlplane/jobforge';
import { startProcess } from './harness/child.mjs';
import { interleaved } from './harness/interleaved.mjs';
import { quantile, report, round } from './harness/report.mjs';

const JOBS = 300;
const ROUNDS = 5;
const now = () => performance.timeOrigin + performance.now();

async function open(delivery) {
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  const runner = await startProcess('sdk-server.mjs', {
    JOBFORGE_URL: forge.url,
    WAIT_READY: '1',
    DELIVERY: delivery,
    TELL_BEGIN: '1',
  });
  return { forge, runner };
}

const measure =
  ({ forge, runner }) =>
  async () => {
    const took = [];
    for (let index = 0; index < JOBS; index += 1) {
      const started = now();
      const job = await forge.submit({ capability: 'bench.echo', input: { text: 'x', times: 1 } });
      await job.result();
      const { at } = await runner.ask({ kind: 'begun' });
      took.push(at - started);
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
    const aim = name === 'websocket' ? ' (aim ≤ 1)' : '';
    figures[`${name}, p50 ms${aim}`] = round(quantile(all, 0.5), 3);
    figures[`${name}, p99 ms`] = round(quantile(all, 0.99), 3);
  }
  report('dispatch: submit to first line of the handler', figures);
} finally {
  for (const { forge, runner } of Object.values(lines)) {
    await runner.stop();
    await forge.stop({ drainMs: 1 });
  }
}
