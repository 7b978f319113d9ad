import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const file = fileURLToPath(new URL('runners/greet.node-test.mjs', import.meta.url));

test('the testing entry works under node --test, in both builds', async () => {
  // A run of node:test inside another one reports to its parent: this one has none.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const output = await text(child.stdout);
  expect(await exit, output).toBe(0);
  expect(output).toMatch(/^# pass 4$/m);
});
