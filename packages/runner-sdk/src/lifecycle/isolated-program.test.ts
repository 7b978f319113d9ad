import { once } from 'node:events';
import { test } from 'vitest';
import { startIsolatedProgram } from './isolated-program.suite.js';
import { post, requestOf } from './runner-fixture.suite.js';

test.concurrent.for([
  ['mjs', 'thread'],
  ['mjs', 'process'],
  ['cjs', 'thread'],
  ['cjs', 'process'],
] as const)(
  'program.%s isolates its capability by %s and stays one runner',
  async ([format, isolation], context) => {
    const { expect } = context;
    const { child, controlPlane, url } = await startIsolatedProgram({ format, isolation }, context);
    const spun = await post(`${url}/execute`, { ...requestOf('spin', { spin: true }), timeoutMs: 300 });
    expect(spun).toMatchObject({ status: 504, json: { error: { code: 'EXECUTION_TIMEOUT' } } });
    const quick = await post(`${url}/execute`, { ...requestOf('spin', { spin: false }), jobId: 'quick' });
    expect(quick).toMatchObject({ status: 200, json: { success: true } });
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(controlPlane.recorded.filter(({ path }) => path === '/runners/register')).toHaveLength(1);
  },
);
