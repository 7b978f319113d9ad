// Adds jobs to graphile-worker in batches over a few connections and tells when all are acknowledged.
import { Logger, makeWorkerUtils } from 'graphile-worker';
import { answerParent } from '../harness/child.mjs';

const BATCH = 100;
const CONNECTIONS = 4;
const payload = { text: 'x'.repeat(200), times: 1 };
const utils = await makeWorkerUtils({
  connectionString: process.env.DATABASE,
  maxPoolSize: CONNECTIONS,
  logger: new Logger(() => () => {}),
});

async function produce({ jobs }) {
  const started = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      const size = Math.min(BATCH, jobs - next);
      next += size;
      await utils.addJobs(Array.from({ length: size }, () => ({ identifier: 'bench.echo', payload })));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return { acknowledgedMs: performance.now() - started };
}

answerParent({ ready: true }, { produce });
