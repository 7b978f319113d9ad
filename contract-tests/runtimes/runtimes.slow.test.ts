import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';

// The built packages under every runtime that is promised, each through its npm package.

const here = fileURLToPath(new URL('.', import.meta.url));
const NODES = ['node@22', 'node@24', 'node@26'];
const NPX = ['--yes', '--prefer-offline'];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd: here,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, out, errors };
}

/** Answers registration and heartbeats, and counts those that a watchdog sent. */
async function startControlPlane() {
  const stalled: number[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { stalledMs } = JSON.parse(body || '{}') as { stalledMs?: number };
      if (stalledMs !== undefined) stalled.push(stalledMs);
      const registered = { runnerId: 'r', registeredAt: new Date().toISOString(), heartbeatIntervalMs: 300 };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...registered, known: true, deregistered: true }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { stalled, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** The runtime's version; undefined where its package cannot be had, which CI does not accept. */
async function versionOf(runtime: string): Promise<string | undefined> {
  const { code, out, errors } = await run('npx', [...NPX, runtime, '--version']);
  if (code === 0) return out.trim();
  if (process.env['CI']) throw new Error(`${runtime} cannot be had: ${errors}`);
  process.stderr.write(`SKIPPED: ${runtime} cannot be had, the SDK is NOT tried on it\n`);
  return undefined;
}

async function expectToWork(command: string, args: readonly string[]): Promise<void> {
  const { url, stalled } = await startControlPlane();
  const { code, out, errors } = await run(command, args, { JOBFORGE_URL: url });
  expect({ code, out, errors }).toMatchObject({ code: 0 });
  expect(JSON.parse(out.trim())).toEqual({ events: ['accepted', 'succeeded'] });
  expect(stalled.length).toBeGreaterThanOrEqual(2);
}

describe.each(NODES)('%s', (runtime) => {
  test.for(['smoke.mjs', 'smoke.cjs'])('runs %s: an execution, and the watchdog', async (file, { skip }) => {
    if ((await versionOf(runtime)) === undefined) skip(`${runtime} cannot be had`);
    await expectToWork('npx', [...NPX, runtime, join(here, file)]);
  });
});

describe('this Node', () => {
  test.each(['smoke.mjs', 'smoke.cjs'])('runs %s: an execution, and the watchdog', async (file) => {
    await expectToWork(process.execPath, [join(here, file)]);
  });

  test.each([
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const)('runs it bundled into one minified file as %s', async (format, extension) => {
    const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const outfile = join(folder, `bundle.${extension}`);
    const banner =
      format === 'esm'
        ? {
            js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
          }
        : {};
    await build({
      entryPoints: [join(here, `smoke.${extension}`)],
      bundle: true,
      minify: true,
      keepNames: true,
      platform: 'node',
      format,
      outfile,
      banner,
      logLevel: 'error',
    });
    await expectToWork(process.execPath, [outfile]);
  });
});
