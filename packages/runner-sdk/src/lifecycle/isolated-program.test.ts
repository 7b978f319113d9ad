import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { startRecordingControlPlane } from './recording-control-plane.js';
import { post, requestOf } from './runner-fixture.suite.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** A runner and its capability in one file, as a small program is. */
const body = (isolation: string, file: string): string => `
  const input = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
  const capability = defineCapability({
    id: 'spin', version: '1.0.0', description: 'Spins.', input, inputJsonSchema: { type: 'object' },
    isolation: '${isolation}', module: ${file},
    execute({ spin }) { while (spin); return process.argv.length; },
  });
  createRunner({ capabilities: [capability] }).start().then((runner) => process.stdout.write(runner.url + '\\n'));
`;

const PROGRAMS = {
  'program.mjs': (isolation: string) =>
    `import { createRunner, defineCapability } from '@controlplane/runner-sdk';${body(isolation, 'import.meta.url')}`,
  'program.cjs': (isolation: string) =>
    `const { createRunner, defineCapability } = require('@controlplane/runner-sdk');${body(isolation, '__filename')}`,
} as const;

test.concurrent.for([
  ['program.mjs', 'thread'],
  ['program.mjs', 'process'],
  ['program.cjs', 'thread'],
  ['program.cjs', 'process'],
] as const)(
  '%s isolates its capability by %s and stays one runner',
  async ([file, isolation], { expect, onTestFinished }) => {
    const controlPlane = await startRecordingControlPlane();
    // Within the package, so that its own name can be resolved from there.
    const folder = await mkdtemp(join(PACKAGE, 'dist', 'isolated-'));
    await writeFile(join(folder, file), PROGRAMS[file](isolation));
    const child = spawn(process.execPath, [join(folder, file)], {
      env: {
        PATH: process.env['PATH'],
        JOBFORGE_URL: controlPlane.url,
        PORT: '0',
        RUNNER_NAME: 'isolating',
        LOG_LEVEL: 'silent',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await controlPlane.close();
      await rm(folder, { recursive: true });
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
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
