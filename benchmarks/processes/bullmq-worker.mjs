// BullMQ with the work of bench.echo. Tells, when asked, once nothing is left to do.
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { answerParent } from '../harness/child.mjs';
import { echo, input, output } from './echo.mjs';

const connection = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1', { maxRetriesPerRequest: null });
let done = 0;
const worker = new Worker(
  'bench.echo',
  async ({ data }) => {
    const result = output.parse(echo(input.parse(data)));
    done += 1;
    return result;
  },
  { connection, concurrency: 100, removeOnComplete: { count: 0 } },
);
await worker.waitUntilReady();
const queue = new Queue('bench.echo', { connection });

async function idle() {
  for (;;) {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized');
    if (Object.values(counts).every((count) => count === 0)) return { done };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

answerParent({ ready: true }, { idle });
