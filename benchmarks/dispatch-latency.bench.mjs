// From the submission of a job to the first line of its handler, over each delivery: JobForge in this process, the runner
// in another, one job at a time on a machine that does nothing else. Both clocks are the machine's.
import { now, overDeliveries } from './harness/over-deliveries.mjs';

const JOBS = 300;

async function measure({ forge, runner }) {
  const took = [];
  for (let index = 0; index < JOBS; index += 1) {
    const started = now();
    const job = await forge.submit({ capability: 'bench.echo', input: { text: 'x', times: 1 } });
    await job.result();
    const { at } = await runner.ask({ kind: 'begun' });
    took.push(at - started);
  }
  return took;
}

await overDeliveries('dispatch: submit to first line of the handler', measure, {
  aim: (delivery, quantile) => (delivery === 'websocket' && quantile === 'p50' ? ' (aim ≤ 1)' : ''),
  environment: { TELL_BEGIN: '1' },
});
