import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderText, runContract } from '@controlplane/contract-test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';
import { fakeEngine, type FakeEngine } from './fake-engine.js';
import { isAlive } from './processes.js';

const root = mkdtempSync(join(tmpdir(), 'contract-test-image-'));
afterAll(() => rmSync(root, { recursive: true, maxRetries: 20, retryDelay: 100 }));

const SECRET = 'a-token-that-shows-nowhere';

let folders = 0;
function engine(name: 'podman' | 'docker' = 'podman', images: Record<string, string> = {}): FakeEngine {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return fakeEngine(folder, name, { runner: `exec ${handWrittenRunner().command}`, ...images });
}

/** The kit finds the shell by its path, and an engine in PATH alone. */
const judge = (
  image: string,
  { path }: Pick<FakeEngine, 'path'>,
  run: readonly string[] = ['health.answers'],
) =>
  runContract({ kind: 'image', image, env: { RUNNER_TOKEN: SECRET } }, { run, environment: { PATH: path } });

describe('a runner in a container image', { timeout: 60_000 }, () => {
  it('is judged like a command, and nothing of it is left', async () => {
    const podman = engine();
    const report = await judge('runner', podman, [
      'registration.registers',
      'execute.rejects-invalid-input',
      'shutdown.finishes-running-work',
      'shutdown.exits-cleanly',
    ]);
    expect(
      report.results.map(({ status }) => status),
      renderText(report),
    ).toEqual(report.results.map(() => 'passed'));
    expect(report.target).toContain('--image runner');
    expect(podman.calls().join('\n')).toMatch(
      /^run --rm --pull never .*--network host .*--env JOBFORGE_URL /m,
    );
    // Signals reach it by its engine.
    expect(podman.calls().join('\n')).toMatch(/^kill --signal SIGTERM contract-test-/m);
    expect(podman.containers()).toEqual([]);
  });

  it('gets its variables, and its secrets are in no command line and no report', async () => {
    const podman = engine();
    const report = await judge('runner', podman);
    expect(podman.calls().join('\n')).toContain('--env RUNNER_TOKEN');
    expect(podman.calls().join('\n')).not.toContain(SECRET);
    expect(JSON.stringify(report)).not.toContain(SECRET);
  });

  it('is run by docker where that has the image, with a published port where it has its own network', async () => {
    const docker = engine('docker');
    const judged = runContract(
      { kind: 'image', image: 'runner', network: 'bridge' },
      { run: ['health.answers'], environment: { PATH: docker.path } },
    );
    expect((await judged).conformant).toBe(true);
    const run = docker.calls().find((call) => call.startsWith('run '));
    expect(run).toMatch(/--publish 127\.0\.0\.1:(\d+):\1 --add-host host\.docker\.internal:host-gateway /);
  });
});

describe('an image that cannot be judged', { timeout: 60_000 }, () => {
  it('is told at once: no engine, no image, an end at the start', async () => {
    await expect(judge('runner', { path: root })).rejects.toThrow(/podman or docker, and neither is in PATH/);
    await expect(judge('other', engine())).rejects.toThrow(
      /"other" is not on this machine and cannot be pulled\. podman: initializing source docker:\/\/other: denied/,
    );
    const broken = engine('podman', { broken: 'echo no database >&2; exit 3' });
    await expect(judge('broken', broken)).rejects.toMatchObject({
      name: 'TargetUnreachable',
      message: expect.stringMatching(
        /the image broken" ended \(code 3\) before it answered\. It wrote:\nno database/,
      ),
    });
    expect(broken.containers()).toEqual([]);
  });

  it('shows what it wrote without the values of its secrets', async () => {
    const { path, calls } = engine('podman', { boastful: 'echo "with $MYSQL_PWD and $LEVEL" >&2; exit 3' });
    const env = { MYSQL_PWD: 'hunter2 hunter2', LEVEL: 'high' };
    const judged = runContract({ kind: 'image', image: 'boastful', env }, { environment: { PATH: path } });
    await expect(judged).rejects.toThrow('It wrote:\nwith [redacted] and high');
    // Its container is removed behind the kit's back; the folder of the engine is in use until then.
    await expect.poll(() => calls().join('\n'), { timeout: 30_000 }).toMatch(/^rm --force /m);
  });
});

describe('a kit that is killed', { timeout: 60_000 }, () => {
  it('leaves no container behind', async () => {
    const podman = engine('podman', { silent: 'exec sleep 600' });
    const bin = fileURLToPath(
      new URL('../../packages/contract-test-kit/bin/contract-test.js', import.meta.url),
    );
    const kit = spawn(process.execPath, [bin, 'run', '--image', 'silent'], {
      env: { ...process.env, PATH: `${podman.path}:${process.env['PATH']}` },
      stdio: 'ignore',
    });
    await expect.poll(() => podman.containers().length, { timeout: 30_000 }).toBe(1);
    const [pid = 0] = podman.containers();
    kit.kill('SIGKILL');
    await once(kit, 'exit');
    await expect.poll(() => podman.containers(), { timeout: 30_000 }).toEqual([]);
    expect(isAlive(pid)).toBe(false);
  });
});
