// Jobs the whole way: submitted over HTTP, committed (synchronous=FULL), pushed to a runner, validated and run there,
// their results committed. Producer, JobForge and runner are processes of their own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from './harness/child.mjs';
import { median } from './harness/interleaved.mjs';
import { report, round } from './harness/report.mjs';
import { WARM_UP } from './harness/whole-way.mjs';

const JOBS = 20_000;
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const forge = await startProcess('job-forge.mjs', { FILE: join(folder, 'jobs.db') });
const runner = await startProcess('sdk-server.mjs', { JOBFORGE_URL: forge.ready.url, WAIT_READY: '1' });
const producer = await startProcess('producer.mjs', { JOBFORGE_URL: forge.ready.url });
const processes = { producer, forge, runner };

async function cpuUs() {
  const entries = Object.entries(processes).map(async ([name, child]) => {
    const { user, system } = await child.ask('cpu');
    return [name, user + system];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function run(name, jobs) {
  const before = await cpuUs();
  const started = performance.now();
  const { acknowledgedMs } = await producer.ask({ kind: 'produce', round: name, jobs });
  await forge.ask('idle');
  const seconds = (performance.now() - started) / 1000;
  const after = await cpuUs();
  const ids = Array.from({ length: 500 }, (_, index) => `${name}-${Math.floor((index * jobs) / 500)}`);
  const { completed } = await forge.ask({ kind: 'outcome', ids });
  if (completed !== ids.length)
    throw new Error(`${ids.length - completed} of ${ids.length} jobs did not complete`);
  const cpu = Object.fromEntries(
    Object.keys(processes).map((key) => [key, (after[key] - before[key]) / jobs]),
  );
  return { perSecond: jobs / seconds, submitPerSecond: (jobs / acknowledgedMs) * 1000, cpu };
}

try {
  for (let index = 0; index < WARM_UP; index += 1) await run(`warm${index}`, JOBS);
  const rounds = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await run(`round${index}`, JOBS));
  const cpu = (name) => round(median(rounds.map((result) => result.cpu[name])), 1);
  const rates = rounds.map(({ perSecond }) => perSecond);
  report('end to end (SQLite, synchronous=FULL, three processes)', {
    'jobs/s, median (aim ≥ 10,000)': Math.round(median(rates)),
    'jobs/s, slowest and fastest round': `${Math.round(Math.min(...rates))} … ${Math.round(Math.max(...rates))}`,
    'submitted jobs/s': Math.round(median(rounds.map(({ submitPerSecond }) => submitPerSecond))),
    'CPU µs a job: producer': cpu('producer'),
    'CPU µs a job: JobForge': cpu('forge'),
    'CPU µs a job: runner': cpu('runner'),
  });
} finally {
  await Promise.all(Object.values(processes).map((child) => child.stop()));
  rmSync(folder, { recursive: true });
}
