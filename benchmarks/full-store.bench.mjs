// What a million jobs that have ended cost those that come: submit, start and list beside an empty store's, and what
// goes on while retention deletes most of them. SQLite, synchronous=FULL; everything in processes of their own.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from './harness/child.mjs';
import { interleaved, median, ratio } from './harness/interleaved.mjs';
import { quantile, report, round } from './harness/report.mjs';

const JOBS = Number(process.env.JOBS ?? 1_000_000);
const ROUNDS = 9;
/** Of servers that have just worked; and beside a deletion, not after it. */
const AT_ONCE = { rest: async () => {} };
const EACH = 100;
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const clock = () => performance.timeOrigin + performance.now();

async function open(name, keptJobs) {
  const forge = await startProcess('job-forge.mjs', {
    FILE: join(folder, `${name}.db`),
    KEPT_JOBS: String(keptJobs),
  });
  const runner = await startProcess('sdk-server.mjs', {
    ...{ JOBFORGE_URL: forge.ready.url, WAIT_READY: '1', TELL_BEGIN: '1', DELIVERY: 'websocket' },
  });
  return { forge, runner, url: forge.ready.url, stop: () => Promise.all([runner.stop(), forge.stop()]) };
}

async function fill({ forge, url }) {
  const producer = await startProcess('producer.mjs', { JOBFORGE_URL: url });
  const started = performance.now();
  await producer.ask({ kind: 'produce', round: 'fill', jobs: JOBS });
  await forge.ask('idle');
  await producer.stop();
  return (performance.now() - started) / 1000;
}

/** Waits until a job has ended, by its events. */
const ended = async (url, id) => (await fetch(`${url}/jobs/${id}/events`)).text();

let number = 0;
const measure =
  ({ url, runner }) =>
  async () => {
    const took = { submit: [], start: [], list: [] };
    for (let index = 0; index < EACH; index += 1) {
      number += 1;
      const id = `measured-${number}`;
      const body = JSON.stringify({
        id,
        type: 'bench.echo',
        payload: { type: 'bench.echo', data: { text: 'x', times: 1 } },
      });
      const submitted = clock();
      const reply = await fetch(`${url}/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      await reply.text();
      took.submit.push(clock() - submitted);
      await ended(url, id);
      took.start.push((await runner.ask({ kind: 'begun' })).at - submitted);
      const asked = clock();
      await (await fetch(`${url}/jobs?limit=100&status=completed`)).text();
      took.list.push(clock() - asked);
    }
    return Object.fromEntries(Object.entries(took).map(([name, all]) => [name, quantile(all, 0.5)]));
  };

let full = await open('full', JOBS * 2);
const empty = await open('empty', JOBS * 2);
try {
  const seconds = await fill(full);
  await measure(full)();
  await measure(empty)();
  const results = await interleaved({ full: measure(full), empty: measure(empty) }, ROUNDS, AT_ONCE);
  const of = (name, what) => results[name].map((one) => one[what]);
  const figures = Object.fromEntries(
    ['submit', 'start', 'list'].flatMap((what) => [
      [`${what}, p50 ms, empty`, round(median(of('empty', what)), 2)],
      [`${what}, full / empty (aim ≤ 2)`, round(ratio(of('full', what), of('empty', what)))],
    ]),
  );
  await full.stop();
  const reopened = performance.now();
  // Far fewer are kept from now on: the rest is deleted while jobs go on.
  full = await open('full', JOBS / 100);
  const openMs = performance.now() - reopened;
  const pruning = await interleaved({ full: measure(full), empty: measure(empty) }, ROUNDS, AT_ONCE);
  const while_ = (name) => pruning[name].map((one) => one.start);
  report(`a store of ${JOBS} ended jobs`, {
    'filled, jobs/s': Math.round(JOBS / seconds),
    'file, MB': Math.round(statSync(join(folder, 'full.db')).size / 2 ** 20),
    ...figures,
    'opened again, ms': Math.round(openMs),
    'start while retention deletes, full / empty': round(ratio(while_('full'), while_('empty'))),
    'start while retention deletes, worst p50 ms': round(Math.max(...while_('full')), 2),
  });
} finally {
  await full.stop();
  await empty.stop();
  rmSync(folder, { recursive: true, force: true });
}
