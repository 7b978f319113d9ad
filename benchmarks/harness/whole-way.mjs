// Systems that take jobs and run them, each with a producer and what runs them in processes of their own: one round of
// each is so many jobs, from the first that is submitted to the last that has ended, and fails where one is missing.
import { startProcess } from './child.mjs';

/** Rounds that are not counted: what JobForge takes for a job falls for 80,000 jobs, until all of its code is compiled. */
export const WARM_UP = 4;

let rounds = 0;

async function run({ from, to, jobs }) {
  rounds += 1;
  const started = performance.now();
  await from.ask({ kind: 'produce', round: `round${rounds}`, jobs });
  const last = await to.ask('idle');
  return { perSecond: (jobs * 1000) / (performance.now() - started), last, name: `round${rounds}` };
}

/**
 * JobForge, a producer that submits over HTTP, and a runner that it pushes to.
 * @param {number} jobs of a round
 * @param {Record<string, string>} environment of JobForge: where its jobs are kept
 */
export async function startJobForge(jobs, environment) {
  const forge = await startProcess('job-forge.mjs', environment);
  const runner = await startProcess('sdk-server.mjs', { JOBFORGE_URL: forge.ready.url, WAIT_READY: '1' });
  const producer = await startProcess('producer.mjs', { JOBFORGE_URL: forge.ready.url });
  const costs = [];
  const cpuUs = async () => {
    const { user, system } = await forge.ask('cpu');
    return user + system;
  };
  return {
    /** CPU time of JobForge in µs a job, of each round. */
    costs,
    async round() {
      const before = await cpuUs();
      const { perSecond, name } = await run({ from: producer, to: forge, jobs });
      costs.push(((await cpuUs()) - before) / jobs);
      const ids = Array.from({ length: 500 }, (_, index) => `${name}-${Math.floor((index * jobs) / 500)}`);
      const { completed } = await forge.ask({ kind: 'outcome', ids });
      if (completed !== ids.length) throw new Error(`${ids.length - completed} jobs did not complete`);
      return perSecond;
    },
    stop: () => Promise.all([producer, runner, forge].map((child) => child.stop())),
  };
}

/**
 * A queue whose producer and worker talk to its database themselves.
 * @param {string} name of its two files in processes/
 * @param {number} jobs of a round
 * @param {Record<string, string>} environment of both: where the database is
 */
export async function startQueue(name, jobs, environment) {
  const worker = await startProcess(`${name}-worker.mjs`, environment);
  const adder = await startProcess(`${name}-producer.mjs`, environment);
  let before = 0;
  return {
    async round() {
      const { perSecond, last } = await run({ from: adder, to: worker, jobs });
      if (last.done - before !== jobs) throw new Error(`${jobs - last.done + before} jobs were not done`);
      before = last.done;
      return perSecond;
    },
    stop: () => Promise.all([adder, worker].map((child) => child.stop())),
  };
}
