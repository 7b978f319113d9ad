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

async function idle() {
  for (;;) {
    const pages = await Promise.all(
      UNFINISHED.map((status) => forge.operations.listJobs({ status, limit: 1 })),
    );
    if (pages.every(({ items }) => items.length === 0)) return { idle: true };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
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
