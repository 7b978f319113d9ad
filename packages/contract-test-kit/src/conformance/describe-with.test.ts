import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContractReport } from '../reporters/report.js';
import { NothingSelected } from '../run-contract/run-contract.js';
import { describeWith, type ConformanceOptions, type TestFramework } from './describe-with.js';

const server = createServer((request, response) => {
  response.statusCode = request.url === '/health' ? 200 : 404;
  response.end('{"status":"unhealthy"}');
});
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** Runs a suite as a test framework does and tells how each test came out. */
async function outcomes(options: ConformanceOptions): Promise<ReadonlyMap<string, string>> {
  const told = new Map<string, string>();
  const befores: (() => Promise<void>)[] = [];
  const tests: (() => void)[] = [];
  const framework: TestFramework = {
    describe: (_name, body) => body(),
    before: (deed) => void befores.push(deed),
    it: (name, body) =>
      void tests.push(() => {
        const id = name.split(' ')[0] ?? '';
        told.set(id, 'passed');
        try {
          body({ skip: (reason) => void told.set(id, `skipped: ${reason}`) });
        } catch (error) {
          told.set(id, `failed: ${(error as Error).message}`);
        }
      }),
  };
  describeWith(framework, { kind: 'url', url }, options);
  for (const deed of befores) await deed();
  for (const test of tests) test();
  return told;
}

describe('describeWith', () => {
  it('makes a test of each requirement: passed, failed with what was expected, skipped with the reason', async () => {
    let report: ContractReport | undefined;
    const told = await outcomes({
      run: ['health.answers', 'health.status-code-agrees', 'shutdown.exits'],
      onReport: (next) => void (report = next),
    });
    expect(told.get('health.answers')).toBe('passed');
    expect(told.get('health.status-code-agrees')).toMatch(
      /^failed: .*\(MUST, contract §4\)[\s\S]*expected +503/,
    );
    expect(told.get('shutdown.exits')).toBe('skipped: not applicable: needs --command or --image');
    expect(report?.ok).toBe(false);
  });

  it('skips an accepted known failure, and fails one that is kept', async () => {
    const known = { reason: 'waits for 2.0', expires: '9999-12-31' };
    const told = await outcomes({
      run: ['health.answers', 'health.status-code-agrees'],
      knownFailures: ['health.answers', 'health.status-code-agrees'].map((id) => ({ id, ...known })),
    });
    expect(told.get('health.status-code-agrees')).toMatch(
      /^skipped: known failure, accepted until 9999-12-31/,
    );
    expect(told.get('health.answers')).toMatch(/^failed: [\s\S]*take it off the list/);
  });

  it('refuses a selection that selects nothing', async () => {
    await expect(outcomes({ run: ['no.such'] })).rejects.toThrow(NothingSelected);
  });
});
