// From the request to cancel a job to the abort of its handler's signal, over each delivery: JobForge in this process, the
// runner in another, a handler that waits and never asks. Both clocks are the machine's.
import { now, overDeliveries } from './harness/over-deliveries.mjs';

const JOBS = 100;

async function measure({ forge, runner }) {
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
}

await overDeliveries("cancel: request to the abort of the handler's signal", measure, {
  aim: (_, quantile) => (quantile === 'p99' ? ' (aim ≤ 100)' : ''),
});
