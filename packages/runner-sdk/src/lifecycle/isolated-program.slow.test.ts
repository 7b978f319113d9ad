import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { describe, test } from 'vitest';
import { startIsolatedProgram } from './isolated-program.suite.js';
import { post, requestOf } from './runner-fixture.suite.js';

/** Node lets threads and processes inherit it. */
const SMALL_HEAP = ['--max-old-space-size=64'];

describe('a handler that runs out of memory', () => {
  test.for(['thread', 'process'] as const)(
    'in a %s of its own has failed, and the runner goes on',
    async (isolation, context) => {
      const { expect } = context;
      const program = { format: 'mjs', isolation, flags: SMALL_HEAP } as const;
      const { child, url } = await startIsolatedProgram(program, context);
      const filled = await post(`${url}/execute`, requestOf('spin', { fill: true }));
      expect(filled.json).toMatchObject({
        success: false,
        error: { code: 'EXECUTION_CRASHED', retryable: true },
      });
      const quick = await post(`${url}/execute`, { ...requestOf('spin'), jobId: 'quick' });
      expect(quick).toMatchObject({ status: 200, json: { success: true } });
      expect(child.exitCode).toBeNull();
    },
  );
});

/** One minified file, as a deployment makes it. */
async function bundle(file: string): Promise<string> {
  const isModule = file.endsWith('.mjs');
  const outfile = join(dirname(file), isModule ? 'bundle.mjs' : 'bundle.cjs');
  const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    platform: 'node',
    format: isModule ? 'esm' : 'cjs',
    outfile,
    banner: isModule ? { js } : {},
    logLevel: 'error',
  });
  return outfile;
}

describe('a program in one minified file', () => {
  test.for([
    ['mjs', 'thread'],
    ['mjs', 'process'],
    ['cjs', 'thread'],
    ['cjs', 'process'],
  ] as const)(
    '(%s) isolates its capability by %s and stays one runner',
    async ([format, isolation], context) => {
      const { expect } = context;
      const { child, controlPlane, url } = await startIsolatedProgram({ format, isolation, bundle }, context);
      const spun = await post(`${url}/execute`, { ...requestOf('spin', { spin: true }), timeoutMs: 300 });
      expect(spun).toMatchObject({ status: 504, json: { error: { code: 'EXECUTION_TIMEOUT' } } });
      const quick = await post(`${url}/execute`, { ...requestOf('spin'), jobId: 'quick' });
      expect(quick).toMatchObject({ status: 200, json: { success: true } });
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(controlPlane.recorded.filter(({ path }) => path === '/runners/register')).toHaveLength(1);
    },
  );
});
