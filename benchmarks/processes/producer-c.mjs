// Submits jobs in batches over a few keep-alive connections and tells when all are acknowledged.
import { Agent, request } from 'node:http';
import { answerParent } from '../harness/child.mjs';

const BATCH = Number(process.env.BATCH ?? 100);
const CONNECTIONS = Number(process.env.CONNS ?? 4);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const data = { text: 'x'.repeat(200), times: 1 };

function submit(ids) {
  const jobs = ids.map((id) => ({ id, type: 'bench.echo', payload: { type: 'bench.echo', data } }));
  const body = JSON.stringify({ jobs });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(
      `${process.env.JOBFORGE_URL}/jobs/batch`,
      { method: 'POST', headers, agent },
      (reply) => {
        if (reply.statusCode !== 202) reject(new Error(`POST /jobs/batch: ${reply.statusCode}`));
        reply.resume().on('end', resolve);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function produce({ round, jobs }) {
  const started = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      const first = next;
      next += BATCH;
      const size = Math.min(BATCH, jobs - first);
      await submit(Array.from({ length: size }, (_, index) => `${round}-${first + index}`));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return { acknowledgedMs: performance.now() - started };
}

answerParent({ ready: true }, { produce });
