// Jobs the whole way over one PostgreSQL server, each commit on its disk: JobForge, whose producer submits over HTTP and
// whose runner it pushes to, against graphile-worker, whose producer and worker talk to the database themselves. Rounds
// take turns.
import { interleaved, median, ratio } from './harness/interleaved.mjs';
import { startPostgres } from './harness/postgres.mjs';
import { report, round } from './harness/report.mjs';
import { startJobForge, startQueue } from './harness/whole-way.mjs';

const JOBS = 20_000;
const ROUNDS = 5;
const postgres = await startPostgres();
const url = new URL(postgres.url);
url.searchParams.set('schema', `bench_${process.pid}`);
const jobForge = await startJobForge(JOBS, { STORE: url.href });
const graphile = await startQueue('graphile', JOBS, { DATABASE: postgres.url });

try {
  await jobForge.round();
  await graphile.round();
  const rates = await interleaved({ jobForge: jobForge.round, graphile: graphile.round }, ROUNDS);
  report('end to end over PostgreSQL (fsync, batches of 100 jobs)', {
    'JobForge, jobs/s, median': Math.round(median(rates.jobForge)),
    'CPU µs a job: JobForge': round(median(jobForge.costs), 1),
    'graphile-worker 0.17, jobs/s, median': Math.round(median(rates.graphile)),
    'JobForge / graphile-worker (aim ≥ 0.8)': round(ratio(rates.jobForge, rates.graphile)),
  });
} finally {
  await Promise.all([jobForge.stop(), graphile.stop()]);
  await postgres.stop();
}
