import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderText, runContract, type RunContractOptions } from '@controlplane/contract-test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importNodeImage, NODE_IMAGE } from '../deploy/node-image.js';
import { missingEngine, openPodman, type Podman } from '../deploy/podman.js';

const why = await missingEngine();
if (why !== undefined) console.warn(`SKIPPED: no runner is judged in a container here: ${why}.`);

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The runners written by hand, each an image that starts one. */
const RUNNERS = { push: 'broken-runner.mjs', 'dial-out': 'dial-out/runner.mjs' } as const;

describe.skipIf(why !== undefined)('a runner in a container of podman', () => {
  let podman: Podman;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'runner-image-'));
    podman = openPodman();
    await importNodeImage(podman);
    cpSync(path('../broken-runners'), join(folder, 'runners'), { recursive: true });
    for (const [tag, file] of Object.entries(RUNNERS)) {
      const lines = [`FROM ${NODE_IMAGE}`, 'COPY runners /app', 'WORKDIR /app', `CMD ["node", "${file}"]`];
      writeFileSync(join(folder, 'Dockerfile'), lines.join('\n'));
      await podman.call('build', '--format', 'docker', '--network', 'host', '--tag', `kit-${tag}`, folder);
    }
  }, 300_000);
  afterAll(async () => {
    await podman.close();
    rmSync(folder, { recursive: true });
  }, 60_000);

  const judge = (image: string, network: 'host' | 'bridge', options: RunContractOptions) =>
    runContract(
      { kind: 'image', image, network },
      { ...options, environment: { ...process.env, ...podman.variables }, timeoutMs: 60_000 },
    );
  const left = () => podman.call('ps', '--all', '--quiet');

  it('keeps core, and nothing is left of its containers', { timeout: 290_000 }, async () => {
    const report = await judge('kit-push', 'host', { profiles: ['core'] });
    expect(report.conformant, renderText(report)).toBe(true);
    expect(report.summary).toMatchObject({ failed: 0, notApplicable: 0, notEvaluable: 0, error: 0 });
    await expect.poll(left, { timeout: 30_000 }).toBe('');
  });

  it('is reached at its published port, and dials out of its own network', { timeout: 290_000 }, async () => {
    const push = [
      'registration.*',
      'execute.rejects-invalid-input',
      'shutdown.exits',
      'performance.keeps-its-memory',
    ];
    const published = await judge('kit-push', 'bridge', { run: push });
    expect(published.conformant, renderText(published)).toBe(true);
    expect(published.summary).toMatchObject({ notApplicable: 0, notEvaluable: 0 });
    for (const delivery of ['websocket', 'long-poll'] as const) {
      const report = await judge('kit-dial-out', 'bridge', {
        delivery,
        run: ['execute.*input', 'shutdown.exits'],
      });
      expect(report.runner.deliveries).toEqual([delivery]);
      expect(report.conformant, renderText(report)).toBe(true);
    }
    await expect.poll(left, { timeout: 30_000 }).toBe('');
  });

  it('is removed when the kit is killed', { timeout: 120_000 }, async () => {
    const bin = path('../../packages/contract-test-kit/bin/contract-test.js');
    const kit = spawn(process.execPath, [bin, 'run', '--image', 'kit-push'], {
      env: { ...process.env, ...podman.variables },
      stdio: 'ignore',
    });
    await expect.poll(() => podman.call('ps', '--quiet'), { timeout: 60_000 }).not.toBe('');
    kit.kill('SIGKILL');
    await once(kit, 'exit');
    await expect.poll(left, { timeout: 60_000 }).toBe('');
  });
});
