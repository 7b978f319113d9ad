// Jobs the whole way over one PostgreSQL server, each commit on its disk: JobForge, whose producer submits over HTTP and
// whose runner it pushes to, against graphile-worker, whose producer and worker talk to the database themselves. Rounds
// take turns.
import { startProcess } from './harness/child.mjs';
import { interleaved, median, ratio } from './harness/interleaved.mjs';
import { startPostgres } from './harness/postgres.mjs';
import { report, round } from './harness/report.mjs';

const JOBS = 20_000;
const ROUNDS = 5;
const postgres = await startPostgres();
const url = new URL(postgres.url);
url.searchParams.set('schema', `bench_${process.pid}`);
const forge = await startProcess('job-forge.mjs', { STORE: url.href });
const runner = await startProcess('sdk-server.mjs', { JOBFORGE_URL: forge.ready.url, WAIT_READY: '1' });
const producer = await startProcess('producer.mjs', { JOBFORGE_URL: forge.ready.url });
const worker = await startProcess('graphile-worker.mjs', { DATABASE: postgres.url });
const adder = await startProcess('graphile-producer.mjs', { DATABASE: postgres.url });
const processes = [forge, runner, producer, worker, adder];

let rounds = 0;
async function run(from, to) {
  rounds += 1;
  const started = performance.now();
  await from.ask({ kind: 'produce', round: `round${rounds}`, jobs: JOBS });
  const last = await to.ask('idle');
  return { perSecond: (JOBS * 1000) / (performance.now() - started), last, name: `round${rounds}` };
}

const cpuUs = async () => {
  const { user, system } = await forge.ask('cpu');
  return user + system;
};
const costs = [];

async function jobForge() {
  const cpu = await cpuUs();
  const { perSecond, name } = await run(producer, forge);
  costs.push(((await cpuUs()) - cpu) / JOBS);
  const ids = Array.from({ length: 500 }, (_, index) => `${name}-${Math.floor((index * JOBS) / 500)}`);
  const { completed } = await forge.ask({ kind: 'outcome', ids });
  if (completed !== ids.length) throw new Error(`${ids.length - completed} jobs did not complete`);
  return perSecond;
}

let before = 0;
async function graphile() {
  const { perSecond, last } = await run(adder, worker);
  if (last.done - before !== JOBS) throw new Error(`${JOBS - last.done + before} jobs were not done`);
  before = last.done;
  return perSecond;
}

try {
  await jobForge();
  await graphile();
  const rates = await interleaved({ jobForge, graphile }, ROUNDS);
  report('end to end over PostgreSQL (fsync, batches of 100 jobs)', {
    'JobForge, jobs/s, median': Math.round(median(rates.jobForge)),
    'CPU µs a job: JobForge': round(median(costs), 1),
    'graphile-worker 0.17, jobs/s, median': Math.round(median(rates.graphile)),
    'JobForge / graphile-worker (aim ≥ 0.8)': round(ratio(rates.jobForge, rates.graphile)),
  });
} finally {
  await Promise.all(processes.map((child) => child.stop()));
  await postgres.stop();
}
