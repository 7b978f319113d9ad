// JobForge over a SQLite file, each commit flushed to the disk. Tells, when asked, once nothing is left to do.
import { createJobForge } from '@controlplane/jobforge';
import { answerParent } from '../harness/child.mjs';

const forge = await createJobForge({
  store: process.env.STORE ?? `sqlite:${process.env.FILE}`,
  durability: 'full',
  listen: { port: 0 },
  ...(process.env.KEPT_JOBS && { retention: { maxJobs: Number(process.env.KEPT_JOBS) } }),
}).start();
const UNFINISHED = ['queued', 'running', 'retrying', 'pending'];

/** Whether some job has not ended. What is looked for last costs most, and is looked for only near the end. */
async function isBusy() {
  if (forge.running > 0) return true;
  for (const status of UNFINISHED) {
    const { items } = await forge.operations.listJobs({ status, limit: 1 });
    if (items.length > 0) return true;
  }
  return false;
}

async function idle() {
  while (await isBusy()) await new Promise((resolve) => setTimeout(resolve, 5));
  return { idle: true };
}

async function outcome({ ids }) {
  const jobs = await Promise.all(ids.map((id) => forge.operations.showJob(id)));
  return { completed: jobs.filter(({ status }) => status === 'completed').length };
}

/** Memory once what is not needed any more is gone; wants `--expose-gc`. */
function settled() {
  globalThis.gc?.();
  return process.memoryUsage();
}

answerParent({ url: forge.url }, { idle, outcome, settled });
