import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCapability, type RunCapabilityOptions } from '@controlplane/runner-sdk/testing';
import { describe, expect, test } from 'vitest';
import { alive, endOf, outputOf } from '../process/process-control.suite.js';
import type { ContainerInput } from './container-input.js';
import { container } from './container.js';
import { IMAGE, startTestEngine, type TestEngine } from './test-engine.suite.js';

// What runners of the kind that this one replaces got wrong, one test each, with real containers.

const tested = await startTestEngine();
const { root, engine, names } = (tested ?? {}) as TestEngine;
const options = tested && {
  engine,
  images: ['localhost/controlplane-*', 'localhost/missing:*'],
  stateDirectory: join(root, 'state'),
  workDirectory: join(root, 'files'),
  termGraceMs: 1_000,
};
const run = (input: Partial<ContainerInput>, more: RunCapabilityOptions = {}) =>
  runCapability(container(options as never), { image: IMAGE, pull: 'never', ...input } as never, more);
const sh = (line: string, input: Partial<ContainerInput> = {}, more: RunCapabilityOptions = {}) =>
  run({ command: ['sh', '-c', line], ...input }, more);
const nothingLeft = (): void => {
  expect(names()).toEqual([]);
  expect(readdirSync(join(root, 'files'))).toEqual([]);
  expect(readdirSync(join(root, 'state/containers'))).toEqual([]);
};

describe.skipIf(!tested)('a container', () => {
  test('runs with command, variables, input and files, and leaves its files', async () => {
    const content = 'words\n';
    const sha256 = createHash('sha256').update(content).digest('hex');
    const line =
      'cat; echo "$GREETING|$LINES2"; mkdir /job/output/sub; cat /job/input/in.txt > /job/output/sub/out.txt; echo err >&2';
    const ended = await sh(line, {
      stdin: 'typed ',
      env: { GREETING: 'a "b" $c', LINES2: 'one\ntwo' },
      files: [{ name: 'in.txt', content, sha256 }],
    });
    expect(ended.error).toBeUndefined();
    expect(ended.data).toMatchObject({
      exitCode: 0,
      stdout: 'typed a "b" $c|one\ntwo\n',
      stderr: 'err\n',
      artifacts: [{ path: 'sub/out.txt', name: 'sub_out.txt', bytes: 6, sha256 }],
    });
    expect(ended.artifacts.map((left) => [left.name, left.content.toString()])).toEqual([
      ['sub_out.txt', content],
    ]);
    expect(outputOf(ended, 'stderr')).toBe('err\n');
    expect(ended.data?.imageId).toMatch(/[0-9a-f]{64}/);
    nothingLeft();
  });

  test('that cannot be started is told at once, with the cause', async () => {
    const image = await run({ image: 'localhost/missing:1' });
    expect(image.error).toMatchObject({ code: 'CONTAINER_NOT_STARTED', retryable: false });
    expect(image.error?.message).toMatch(/localhost\/missing:1.*(not known|no such image|does not resolve)/i);
    const command = await run({ command: ['/no/such/program'] });
    expect(command.error?.code).toBe('CONTAINER_NOT_STARTED');
    expect(command.error?.message).toContain('/no/such/program');
    nothingLeft();
  });

  test('with a file whose SHA-256 is another is not made', async () => {
    const { error } = await sh('true', { files: [{ name: 'a', content: 'x', sha256: '0'.repeat(64) }] });
    expect(error).toMatchObject({ code: 'FILE_CORRUPT', retryable: false });
    nothingLeft();
  });

  test('that prints megabytes does not block, and its output is capped and counted', async () => {
    const { data } = await sh('dd if=/dev/zero bs=1048576 count=5 2>/dev/null | tr "\\0" x; echo end');
    expect(data).toMatchObject({ stdoutBytes: 5 * 1024 * 1024 + 4 });
    expect(Buffer.byteLength(data?.stdout ?? '')).toBe(50 * 1024);
    expect(data?.stdout.endsWith('xend\n')).toBe(true);
    nothingLeft();
  });

  test('whose exit code is one that the engine uses itself has failed, not failed to start', async () => {
    for (const exitCode of [3, 125, 127]) {
      const { error, artifacts } = await sh(
        `echo why >&2; echo report > /job/output/report; exit ${exitCode}`,
      );
      expect(artifacts.map(({ name }) => name)).toEqual(['report']);
      expect(error).toMatchObject({ code: 'COMMAND_FAILED', retryable: false });
      expect(endOf(error ?? { details: [] })).toMatchObject({ exitCode, stderr: 'why\n' });
    }
    expect((await sh('exit 3', { exitCodes: [3] })).data?.exitCode).toBe(3);
    nothingLeft();
  });

  test('that ignores SIGTERM is killed when its time is over, not its client alone', async () => {
    const ended = await sh(`trap '' TERM; echo up; sleep 4711`, {}, { timeoutMs: 3_000 });
    expect(ended.error?.code).toBe('EXECUTION_TIMEOUT');
    expect(outputOf(ended)).toBe('up\n');
    await expect.poll(() => alive('4711')).toEqual([]);
    await expect.poll(nothingLeft).toBeUndefined();
  });

  test('that is cancelled ends, and is cancelled', async () => {
    const stop = new AbortController();
    const onEvent = ({ type }: { readonly type: string }): void => {
      if (type === 'log') stop.abort();
    };
    const ended = await sh(`echo up; sleep 4712`, {}, { signal: stop.signal, onEvent });
    expect(ended.outcome).toBe('cancelled');
    expect(alive('4712')).toEqual([]);
    nothingLeft();
  });

  test('is asked to end before it is killed', async () => {
    const stop = new AbortController();
    const onEvent = ({ type }: { readonly type: string }): void => {
      if (type === 'log') stop.abort();
    };
    const line = `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done`;
    const ended = await sh(line, {}, { signal: stop.signal, onEvent });
    expect([ended.outcome, outputOf(ended)]).toEqual(['cancelled', 'up\nbye\n']);
    nothingLeft();
  });

  test('has a name of its own, however alike the ids of jobs are, and sees no files of others', async () => {
    const jobId = '01234567-same-beginning';
    const line = 'echo mine > /job/output/mine; ls /job/output; sleep 1; ls /job/output';
    const both = await Promise.all([1, 2].map((n) => sh(line, {}, { jobId: `${jobId}-${n}` })));
    for (const { data } of both)
      expect(data).toMatchObject({ stdout: 'mine\nmine\n', artifacts: [{ name: 'mine' }] });
    nothingLeft();
  });

  test('has no network, no new privileges and none of the variables of the runner', async () => {
    process.env['RUNNER_TOKEN'] = 'token-of-the-runner';
    process.env['HTTPS_PROXY'] = 'http://user:password@proxy.example';
    try {
      const { data } = await sh('env; ls /sys/class/net; cat /proc/self/status');
      expect(data?.stdout).not.toMatch(/token-of-the-runner|proxy\.example/);
      expect(data?.stdout).toMatch(/^lo$/m);
      expect(data?.stdout).not.toMatch(/^eth0/m);
      expect(data?.stdout).toMatch(/NoNewPrivs:\s+1/);
    } finally {
      delete process.env['RUNNER_TOKEN'];
      delete process.env['HTTPS_PROXY'];
    }
  });

  test('is given its secrets, which stand in no argument and are hidden in what it says', async () => {
    const capability = container({ ...(options as NonNullable<typeof options>), secrets: ['API_KEY'] });
    let argumentsSeen: number[] = [];
    const input = {
      image: IMAGE,
      pull: 'never',
      command: ['sh', '-c', 'echo "<$API_KEY>"; sleep 1'],
    } as const;
    const ended = await runCapability(capability, input, {
      secrets: { API_KEY: 'correct horse' },
      onEvent: ({ type }) => {
        if (type === 'log') argumentsSeen = alive('correct horse');
      },
    });
    expect(ended.data?.stdout).toBe('<[redacted]>\n');
    expect(argumentsSeen).toEqual([]);
  });

  test('leaves files, not what its links point to', async () => {
    writeFileSync(join(root, 'secret'), 'SECRET-OF-THE-RUNNER');
    const { data } = await sh(
      `cd /job/output && ln -s ${root}/secret link && ln -s ${root} folder && echo ok > file`,
    );
    expect(data?.artifacts.map(({ name }) => name)).toEqual(['file']);
    const strict = container({ ...(options as NonNullable<typeof options>), maxArtifactBytes: 1_000 });
    const command = ['sh', '-c', 'dd if=/dev/zero of=/job/output/big bs=1001 count=1 2>/dev/null'];
    const large = await runCapability(strict, { image: IMAGE, pull: 'never', command });
    expect(large.error?.code).toBe('ARTIFACTS_TOO_LARGE');
    expect(large.artifacts).toEqual([]);
    nothingLeft();
  });

  test('mounts folders that are allowed, for reading unless told otherwise, and nothing else', async () => {
    const [data, sub] = [join(root, 'data'), join(root, 'data/sub')];
    mkdirSync(sub, { recursive: true });
    writeFileSync(join(sub, 'file'), 'mounted');
    const capability = container({ ...(options as NonNullable<typeof options>), mounts: [{ source: data }] });
    const mounting = (mounts: ContainerInput['mounts'], line: string) =>
      runCapability(capability, {
        image: IMAGE,
        pull: 'never',
        command: ['sh', '-c', line],
        mounts,
      });
    const read = await mounting(
      [{ source: sub, target: '/mnt' }],
      'cat /mnt/file; touch /mnt/new || echo refused',
    );
    expect(read.data?.stdout).toBe('mountedrefused\n');
    for (const mount of [
      { source: sub, target: '/mnt', readonly: false },
      { source: '/etc', target: '/mnt' },
      { source: join(data, '..'), target: '/mnt' },
    ])
      expect((await mounting([mount], 'true')).error?.code).toBe('CONTAINER_NOT_ALLOWED');
  });

  test('keeps to its limits of processes and memory', async () => {
    const line = 'for i in 1 2 3 4 5 6; do sleep 1 & done; wait; echo all';
    expect((await sh(line)).data?.stdout).toBe('all\n');
    const few = await sh(line, { limits: { processes: 3 } });
    expect(outputOf(few, 'stderr')).toMatch(/can't fork/);
    const greedy = 'dd if=/dev/zero of=/dev/null bs=67108864 count=1 2>/dev/null';
    expect((await sh(greedy)).outcome).toBe('succeeded');
    const small = await sh(greedy, { limits: { memoryBytes: 16 * 1024 * 1024 } });
    expect(small.outcome).toBe('failed');
  });

  test('goes with its files at the next start of a runner that was killed', async () => {
    const fixture = join(import.meta.dirname, 'left-container.fixture.mjs');
    const child = spawn(process.execPath, [fixture, root, IMAGE], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    container(options as NonNullable<typeof options>);
    expect(names(), 'its runner lives').toHaveLength(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    container(options as NonNullable<typeof options>);
    await expect.poll(() => alive('4713')).toEqual([]);
    nothingLeft();
  });
});
