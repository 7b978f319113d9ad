import { describe, expect, it } from 'vitest';
import type { RunnerCapability } from '@controlplane/contracts';
import type { CaseContext, JudgedRunner } from '../case/case.js';
import type { ExecutionBody, ExecutionExchange, RunnerClient } from '../harness/runner-client.js';
import type { RunnerDescription } from '../harness/runner-description.js';
import { discoveryCases } from './discovery.js';

const echo: RunnerCapability = {
  ...{ id: 'own.echo', name: 'echo', version: '1.0.0', description: 'echo', supportedJobTypes: [] },
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  outputSchema: {},
  ...{
    maxConcurrency: 4,
    timeoutMs: 1_000,
    resourceRequirements: { gpu: false },
    effects: 'none',
    announcesWrites: false,
  },
};

const description: RunnerDescription = {
  ...{ name: 'r', version: '1.0.0', features: [], maxConcurrency: 4, source: 'manifest' as const },
  capabilities: [echo],
};

const refused: ExecutionExchange = {
  request: { method: 'POST', url: 'http://127.0.0.1:1/execute' },
  ...{ status: 400, headers: {}, text: '', json: undefined, lines: [], durationMs: 1, cut: false },
  events: [],
  reply: {
    success: false,
    error: {
      ...{ id: 'e', timestamp: new Date(0).toISOString(), category: 'VALIDATION_ERROR', severity: 'error' },
      ...{ code: 'VALIDATION_ERROR', message: 'no', service: 'r', details: [], retryable: false },
      contractVersion: { major: 1, minor: 0, patch: 0 },
    },
  },
} as unknown as ExecutionExchange;

const taken: ExecutionExchange = {
  ...refused,
  status: 200,
  reply: { success: true, data: {}, executionTimeMs: 1 },
};

/** A case of its own at the same life of a runner. */
function contextWith(execute: (body: ExecutionBody) => Promise<ExecutionExchange>, signal: AbortSignal) {
  const client = { execute } as Partial<RunnerClient> as RunnerClient;
  const runner = { description, client } as Partial<JudgedRunner> as JudgedRunner;
  const subject = { capability: echo, input: { text: 'first' }, fixed: false };
  const context: Partial<CaseContext> = { runner, signal, seed: 1, subjects: () => [subject] };
  return context as CaseContext;
}

describe('two cases that await the answer to one input', () => {
  it('do not both lose it when the time of the one that asked is up', async () => {
    const judge = discoveryCases.find(({ id }) => id === 'execute.accepts-what-its-schema-accepts')?.judge;
    const over = new AbortController();
    const asked: string[] = [];
    const first = contextWith(
      () =>
        new Promise((_resolve, reject) => {
          asked.push('first');
          if (over.signal.aborted) return reject(new Error('over'));
          over.signal.addEventListener('abort', () => reject(new Error('over')));
        }),
      over.signal,
    );
    const second = contextWith(async (body) => {
      asked.push(`second ${JSON.stringify(body.payload)}`);
      return Object(body.payload).text === 'first' ? refused : taken;
    }, new AbortController().signal);
    const judging = judge?.(first);
    await expect.poll(() => asked, { timeout: 15_000 }).toEqual(['first']);
    const other = judge?.(second);
    // What the second awaits is the request of the first.
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual(['first']);
    over.abort();
    const [, outcome] = await Promise.allSettled([judging, other]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'Mismatch' } });
    expect(asked.find((one) => one.startsWith('second'))).toBe('second {"text":"first"}');
  });
});
