import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describeConformance } from '@controlplane/contract-test-kit/vitest';
import { describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';

const suite = fileURLToPath(new URL('../runners/node-test/conformance.node-test.mjs', import.meta.url));

/** `node --test` in a process of its own; what the outer test run tells its children is not for it. */
function nodeTest(command: string): Promise<{ code: number; out: string }> {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--test', '--test-reporter', 'tap', suite],
      { env: { ...env, RUNNER_COMMAND: command }, timeout: 60_000 },
      (error, out) => resolve({ code: error ? Number(error.code) : 0, out }),
    );
  });
}

describe('in vitest', () => {
  describeConformance(handWrittenRunner(), { run: ['health.*', 'manifest.*'] });
});

describe('in node:test', { timeout: 60_000 }, () => {
  it('passes for a runner that keeps the contract', async () => {
    const { code, out } = await nodeTest(handWrittenRunner().command);
    expect(out).toContain('ok 1 - health.answers (MUST)');
    expect(code).toBe(0);
  });

  it('fails the one test whose requirement is broken, and says what was expected', async () => {
    const { code, out } = await nodeTest(handWrittenRunner('health.status-code-agrees').command);
    expect(out.match(/not ok \d+ - health\.[\w-]+/g)).toEqual([
      expect.stringMatching(/health\.status-code-agrees$/),
    ]);
    expect(out).toContain('expected');
    expect(code).toBe(1);
  });
});
