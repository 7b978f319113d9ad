// Jobs the whole way over one PostgreSQL server, each commit on its disk: JobForge, whose producer submits over HTTP and
// whose runner it pushes to, against graphile-worker, whose producer and worker talk to the database themselves. Rounds
// take turns.
import { interleaved, median, ratio } from './harness/interleaved.mjs';
import { startPostgres } from './harness/postgres.mjs';
import { report, round } from './harness/report.mjs';
import { startJobForge, startQueue, WARM_UP } from './harness/whole-way.mjs';

const JOBS = 20_000;
const ROUNDS = 5;
const postgres = await startPostgres();
const url = new URL(postgres.url);
url.searchParams.set('schema', `bench_${process.pid}`);
const jobForge = await startJobForge(JOBS, { STORE: url.href });
const graphile = await startQueue('graphile', JOBS, { DATABASE: postgres.url });

try {
  const each = { jobForge: jobForge.round, graphile: graphile.round };
  await interleaved(each, WARM_UP);
  const rates = await interleaved(each, ROUNDS);
  report('end to end over PostgreSQL (fsync, batches of 100 jobs)', {
    'JobForge, jobs/s, median': Math.round(median(rates.jobForge)),
    'CPU µs a job: JobForge': round(median(jobForge.costs.slice(WARM_UP)), 1),
    'graphile-worker 0.17, jobs/s, median': Math.round(median(rates.graphile)),
    'JobForge / graphile-worker (aim ≥ 0.8)': round(ratio(rates.jobForge, rates.graphile)),
  });
} finally {
  await Promise.all([jobForge.stop(), graphile.stop()]);
  await postgres.stop();
}
