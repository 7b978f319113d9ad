import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RequirementResult } from '../reporters/report.js';
import type { CommandTarget } from '../target/target.js';
import type { RunContractOptions } from './options.js';
import { runContract } from './run-contract.js';

const folder = mkdtempSync(join(tmpdir(), 'contract-test-odd-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** How a runner is odd: data, and bodies of functions as text, for it runs in a process of its own. */
interface Oddity {
  readonly capability?: string;
  readonly features?: readonly string[];
  readonly registers?: boolean;
  readonly healthCheckEndpoint?: string;
  readonly startsAfterMs?: number;
  /** Answers an execution; `body`, `request`, `reply(status, json)` and `response` are there. */
  readonly execute?: string;
}

let count = 0;

function oddRunner(oddity: Oddity): CommandTarget {
  count += 1;
  const file = join(folder, `runner-${count}.mjs`);
  const { capability = 'conformance.sleep', features = [], registers = true, startsAfterMs = 0 } = oddity;
  const described = {
    name: 'odd',
    version: '1.0.0',
    contractVersion: '1.0.0',
    features,
    capabilities: [
      {
        id: capability,
        name: 'odd',
        version: '1.0.0',
        description: 'odd',
        inputSchema: { type: 'object' },
        outputSchema: {},
        supportedJobTypes: [],
        maxConcurrency: 4,
      },
    ],
  };
  writeFileSync(
    file,
    `import { createServer } from 'node:http';
     import { json } from 'node:stream/consumers';
     const described = ${JSON.stringify(described)};
     const { PORT, JOBFORGE_URL } = process.env;
     const server = createServer(async (request, response) => {
       const reply = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
       if (request.url === '/health') return reply(200, { status: 'healthy' });
       if (request.url === '/manifest') return reply(200, described);
       const body = await json(request).catch(() => ({}));
       ${oddity.execute ?? 'reply(200, { success: true, data: {} });'}
     });
     setTimeout(() => server.listen(Number(PORT), '127.0.0.1', () => {
       const healthCheckEndpoint = ${JSON.stringify(oddity.healthCheckEndpoint)} ?? 'http://127.0.0.1:' + PORT + '/health';
       if (${registers}) void fetch(JOBFORGE_URL + '/runners/register', { method: 'POST', body: JSON.stringify({ ...described, healthCheckEndpoint }) });
     }), ${startsAfterMs});`,
  );
  return { kind: 'command', command: `exec '${process.execPath}' '${file}'` };
}

/** Judges one requirement. */
async function judge(
  id: string,
  oddity: Oddity,
  options: RunContractOptions = {},
): Promise<RequirementResult> {
  const { results } = await runContract(oddRunner(oddity), { ...options, run: [id] });
  const [result] = results;
  if (!result) throw new Error(`${id} was not judged`);
  return result;
}

describe('a runner that falls over its work', { timeout: 30_000 }, () => {
  it.each(['health.answers-while-working', 'execute.refuses-beyond-its-slots', 'cancellation.confirms'])(
    'is blamed for it, and the run goes on: %s',
    async (id) => {
      const oddity = { features: ['cancel'], execute: 'if (body.payload) process.exit(7);' };
      const { status, finding } = await judge(id, oddity);
      expect(['failed', 'warned']).toContain(status);
      expect(finding?.actual).toContain('ended (code 7)');
    },
  );
});

describe('a runner that starts slowly', { timeout: 30_000 }, () => {
  it('is not short of time in its cases', async () => {
    const { status } = await judge('shutdown.exits', { startsAfterMs: 900 }, { timeoutMs: 500 });
    expect(status).toBe('passed');
  });
});

describe('a runner that takes one delivery alone', { timeout: 30_000 }, () => {
  it('is judged over that one, and the report says why over no other', async () => {
    const report = await runContract(oddRunner({}), { delivery: 'all', run: ['health.answers'] });
    const reason = (told: string): string =>
      `the runner was started with RUNNER_DELIVERY=${told} and registers with push`;
    expect(report).toMatchObject({
      conformant: true,
      runner: {
        deliveries: ['push'],
        skippedDeliveries: ['websocket', 'long-poll'].map((delivery) => ({
          delivery,
          reason: reason(delivery),
        })),
      },
    });
  });
});

describe('what could not be tried is not passed', { timeout: 30_000 }, () => {
  const refuses = "reply(429, { success: false, error: { code: 'X' } });";

  it.each(['health.answers-while-working', 'shutdown.refuses-new-work', 'shutdown.second-signal-stops'])(
    'because the work ended at once: %s',
    async (id) => {
      expect(await judge(id, { execute: refuses })).toMatchObject({
        status: 'not-evaluable',
        reason: expect.stringContaining('conformance.sleep'),
      });
    },
  );

  it('because the runner ended at the first signal', async () => {
    const execute = 'setTimeout(() => reply(200, { success: true }), body.payload.ms);';
    expect(await judge('shutdown.second-signal-stops', { execute })).toMatchObject({
      status: 'not-evaluable',
      reason: expect.stringContaining('first'),
    });
  });

  it('because nothing was registered that could be answered', async () => {
    expect((await judge('registration.tolerates-unknown-fields', { registers: false })).status).toBe(
      'not-evaluable',
    );
  });

  it('because the answers carry nothing to tell them apart by', async () => {
    expect((await judge('execute.keeps-concurrent-answers-apart', {})).status).toBe('not-applicable');
  });

  it('and a run that judged nothing is not conformant', async () => {
    const run = ['execute.refuses-beyond-its-slots', 'health.answers-while-working'];
    const report = await runContract(oddRunner({ capability: 'own.work' }), { run });
    expect(report.summary).toMatchObject({ notEvaluable: 2 });
    expect(report.conformant).toBe(false);
  });
});

describe('a runner with times in whole seconds', { timeout: 30_000 }, () => {
  it('does not pass for one that answers a repeated delivery from memory', async () => {
    const execute = `
      const event = (seq, more) => JSON.stringify({ executionId: body.executionId, seq, at: new Date().toISOString().replace(/\\.\\d+/, ''), ...more }) + '\\n';
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(event(0, { type: 'accepted' }) + event(1, { type: 'succeeded', data: {} }));`;
    const oddity = { features: ['ndjson'], execute };
    const { status, finding } = await judge('streaming.repeated-delivery-runs-once', oddity);
    expect(status).toBe('failed');
    expect(finding?.timeline?.map(({ text }) => /accepted|succeeded|ended/.exec(text)?.[0])).toEqual([
      'accepted',
      'succeeded',
      'ended',
    ]);
  });
});

describe('what a runner says of itself', { timeout: 30_000 }, () => {
  it('is not taken for a fault of the kit: a health endpoint that is no http URL', async () => {
    const oddity = { healthCheckEndpoint: 'ftp://127.0.0.1/health' };
    expect((await judge('registration.reachable-health', oddity)).status).toBe('failed');
    expect((await judge('registration.answers-when-it-registers', oddity)).status).toBe('not-evaluable');
  });

  it('may be a name that objects inherit: a capability called constructor', async () => {
    const execute = `
      if (typeof body.payload === 'object') return reply(200, { success: true, data: {} });
      reply(400, { success: false, error: { id: 'e', timestamp: new Date().toISOString(), category: 'VALIDATION_ERROR', severity: 'error', code: 'VALIDATION_ERROR', message: 'no', service: 'odd', contractVersion: '1.0.0' } });`;
    expect((await judge('execute.answers-valid-input', { capability: 'constructor', execute })).status).toBe(
      'passed',
    );
  });
});
