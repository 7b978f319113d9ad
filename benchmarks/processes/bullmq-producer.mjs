// Adds jobs to BullMQ in batches over a few connections and tells when all are acknowledged.
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { answerParent } from '../harness/child.mjs';

const BATCH = 100;
const CONNECTIONS = 4;
const data = { text: 'x'.repeat(200), times: 1 };
const queues = Array.from(
  { length: CONNECTIONS },
  () => new Queue('bench.echo', { connection: new Redis(Number(process.env.REDIS_PORT), '127.0.0.1') }),
);
await Promise.all(queues.map((queue) => queue.waitUntilReady()));

async function produce({ jobs }) {
  const started = performance.now();
  let next = 0;
  const lane = async (queue) => {
    while (next < jobs) {
      const size = Math.min(BATCH, jobs - next);
      next += size;
      await queue.addBulk(Array.from({ length: size }, () => ({ name: 'bench.echo', data })));
    }
  };
  await Promise.all(queues.map(lane));
  return { acknowledgedMs: performance.now() - started };
}

answerParent({ ready: true }, { produce });
