import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { startRecordingControlPlane } from './recording-control-plane.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** A runner and its capability in one file, as a small program is. */
const body = (isolation: string, file: string): string => `
  const input = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
  const capability = defineCapability({
    id: 'spin', version: '1.0.0', description: 'Spins.', input, inputJsonSchema: { type: 'object' },
    isolation: '${isolation}', module: ${file},
    async execute({ spin, fill, port, variables }) {
      if (port) {
        const { connect } = await import('node:net');
        await new Promise((resolve) => connect(port, '127.0.0.1').once('connect', resolve));
      }
      while (spin);
      for (const kept = []; fill; ) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
      return variables ? variables.map((name) => process.env[name] ?? null) : process.argv.length;
    },
  });
  createRunner({ capabilities: [capability] }).start().then((runner) => process.stdout.write(runner.url + '\\n'));
`;

const PROGRAMS = {
  mjs: (isolation: string) =>
    `import { createRunner, defineCapability } from '@controlplane/runner-sdk';${body(isolation, 'import.meta.url')}`,
  cjs: (isolation: string) =>
    `const { createRunner, defineCapability } = require('@controlplane/runner-sdk');${body(isolation, '__filename')}`,
} as const;

/** A program of a user's own. */
export interface IsolatedProgram {
  readonly format: keyof typeof PROGRAMS;
  readonly isolation: 'thread' | 'process';
  /** Flags of Node. */
  readonly flags?: readonly string[];
  /** Makes what is run of the file. Default: the file itself is. */
  readonly bundle?: (file: string) => Promise<string>;
}

/** Writes and starts a program; it and its files are gone when the test is over. */
export async function startIsolatedProgram(
  { format, isolation, flags = [], bundle = (file) => Promise.resolve(file) }: IsolatedProgram,
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
) {
  const controlPlane = await startRecordingControlPlane();
  // Within the package, so that its own name can be resolved from there.
  const folder = await mkdtemp(join(PACKAGE, 'dist', 'isolated-'));
  onTestFinished(async () => {
    await controlPlane.close();
    await rm(folder, { recursive: true });
  });
  const file = join(folder, `program.${format}`);
  await writeFile(file, PROGRAMS[format](isolation));
  const child = spawn(process.execPath, [...flags, await bundle(file)], {
    env: {
      PATH: process.env['PATH'],
      JOBFORGE_URL: controlPlane.url,
      PORT: '0',
      RUNNER_NAME: 'isolating',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, controlPlane, url: line.toString().trim() };
}
