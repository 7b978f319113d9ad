import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunner, ExecutionCancelled } from '@controlplane/runner-sdk';
import { afterAll, describe, expect, test } from 'vitest';
import { alive, endOf, outputOf, run, uniqueSeconds } from '../process/process-control.suite.js';
import { shell } from './shell.js';

// What runners of the kind that this one replaces got wrong, one test each.

const stateDirectory = mkdtempSync(join(tmpdir(), 'shell-'));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));
const full = shell({ profile: 'full', stateDirectory, termGraceMs: 300 });

describe('output', () => {
  test('a character that is split between two writes arrives whole', async () => {
    const command = String.raw`printf 'h\303'; sleep 0.1; printf '\251llo'`;
    const ended = await run(full, { command });
    expect(ended.data).toMatchObject({ stdout: 'héllo', stdoutBytes: 6 });
    expect(outputOf(ended)).toBe('héllo');
  });

  test('of a burst beyond the cap the first and the last bytes are kept, and counted are those between', async () => {
    const small = shell({ profile: 'full', stateDirectory, maxOutputBytes: 1_000 });
    const command = `printf begin; head -c 200000 /dev/zero | tr '\\0' x; printf end`;
    const { data } = await run(small, { command });
    expect(data?.stdout).toHaveLength(1_000);
    expect(data?.stdout).toMatch(/^beginx+end$/);
    expect(data).toMatchObject({ stdoutBytes: 200_008, droppedBytes: 199_008 });
  });

  test('the cap counts bytes, not units of text, and splits no character', async () => {
    const small = shell({ profile: 'full', stateDirectory, maxOutputBytes: 101 });
    const { data } = await run(small, { command: `for i in $(seq 100); do printf 'é€'; done` });
    expect(Buffer.byteLength(data?.stdout ?? '')).toBeLessThanOrEqual(101);
    expect(Buffer.byteLength(data?.stdout ?? '')).toBeGreaterThan(101 - 6);
    expect(data?.stdout).not.toContain('\u{FFFD}');
  });

  test('a program that prints beyond the cap goes on to its end', async () => {
    const small = shell({ profile: 'full', stateDirectory, maxOutputBytes: 10 });
    const { data } = await run(small, { command: 'head -c 3000000 /dev/zero; echo done >&2' });
    expect(data).toMatchObject({ stderr: 'done\n', stdoutBytes: 3_000_000 });
  });

  test('what is printed last is there before the end is told', async () => {
    const ended = await run(full, { command: 'head -c 500000 /dev/zero | tr "\\0" a; echo last' });
    expect(ended.data?.stdout.endsWith('a' + 'last\n')).toBe(true);
    expect(outputOf(ended)).toMatch(/last\n$/);
    expect(ended.events.at(-1)?.type).toBe('succeeded');
  });

  test('stdout and stderr arrive apart', async () => {
    const ended = await run(full, { command: 'echo out; echo err >&2' });
    expect([outputOf(ended, 'stdout'), outputOf(ended, 'stderr')]).toEqual(['out\n', 'err\n']);
    expect(ended.data).toMatchObject({ stdout: 'out\n', stderr: 'err\n', droppedBytes: 0 });
  });
});

describe('the end', () => {
  test('a timeout ends the grandchildren too', async () => {
    const seconds = uniqueSeconds();
    const ended = await run(
      full,
      { command: `sh -c 'sleep ${seconds} & sleep ${seconds}'; true` },
      { timeoutMs: 300 },
    );
    expect(ended.error?.code).toBe('EXECUTION_TIMEOUT');
    expect(alive(seconds)).toEqual([]);
  });

  test('a command that ignores SIGTERM is killed after the grace and counts as timed out', async () => {
    const seconds = uniqueSeconds();
    const command = `trap '' TERM; echo ready; sleep ${seconds}; sleep ${seconds}`;
    const ended = await run(full, { command }, { timeoutMs: 1_500 });
    expect(ended.error?.code).toBe('EXECUTION_TIMEOUT');
    expect(outputOf(ended)).toBe('ready\n');
    expect(ended.logs.at(-1)).toMatchObject({
      message: 'the command was stopped',
      fields: { exitCode: null, signal: 'SIGKILL' },
    });
    expect(alive(seconds)).toEqual([]);
  });

  test('a cancelled command that ignores SIGTERM is killed and counts as cancelled', async () => {
    const seconds = uniqueSeconds();
    const stop = new AbortController();
    const ended = await run(
      full,
      { command: `trap '' TERM; echo ready; sleep ${seconds}; sleep ${seconds}` },
      {
        signal: stop.signal,
        onEvent: (event) =>
          event.type === 'log' && stop.abort(new ExecutionCancelled('user', 'no longer wanted')),
      },
    );
    expect([ended.outcome, ended.reason]).toEqual(['cancelled', 'user']);
    expect(alive(seconds)).toEqual([]);
  });

  test('a process that left the group of its command is ended with it', async () => {
    const seconds = uniqueSeconds();
    const ended = await run(
      full,
      { command: `setsid sleep ${seconds} & sleep ${seconds}` },
      { timeoutMs: 500 },
    );
    expect(ended.error?.code).toBe('EXECUTION_TIMEOUT');
    expect(alive(seconds)).toEqual([]);
  });

  test('a process without a mark that ignores SIGTERM is killed with its group', async () => {
    const seconds = uniqueSeconds();
    const command = `env -i PATH="$PATH" sh -c "trap '' TERM; echo ready; sleep ${seconds}; sleep ${seconds}"`;
    const ended = await run(full, { command }, { timeoutMs: 1_500 });
    expect(ended.error?.code).toBe('EXECUTION_TIMEOUT');
    expect(outputOf(ended)).toBe('ready\n');
    expect(alive(seconds)).toEqual([]);
  });

  test('what a command leaves in the background ends with it and does not hold up its result', async () => {
    const seconds = uniqueSeconds();
    const ended = await run(full, { command: `sleep ${seconds} & setsid sleep ${seconds} & echo started` });
    expect(ended.data).toMatchObject({ exitCode: 0, stdout: 'started\n' });
    expect(ended.durationMs).toBeLessThan(10_000);
    expect(alive(seconds)).toEqual([]);
  });

  test('exit code, signal, limit and a program that is missing are outcomes of their own', async () => {
    const failed = await run(full, { command: 'echo why >&2; exit 3' });
    expect(failed.error).toMatchObject({ code: 'COMMAND_FAILED', retryable: false });
    expect(endOf(failed.error ?? { details: [] })).toMatchObject({
      exitCode: 3,
      signal: null,
      stderr: 'why\n',
    });
    const killed = await run(full, { command: 'kill -SEGV $$' });
    expect(killed.error).toMatchObject({ code: 'COMMAND_KILLED' });
    expect(endOf(killed.error ?? { details: [] })).toMatchObject({ exitCode: null, signal: 'SIGSEGV' });
    const exceeded = await run(full, { command: 'while :; do :; done', limits: { cpuSeconds: 1 } });
    expect(exceeded.error?.code).toBe('COMMAND_LIMIT_EXCEEDED');
    const missing = await run(full, { argv: ['no-such-program'] });
    expect(missing.error).toMatchObject({ code: 'COMMAND_NOT_STARTED', retryable: false });
  });

  test('two executions of one job do not know of each other', async () => {
    const both = [1, 2].map((n) => run(full, { command: `sleep 0.2; echo ${n}` }, { jobId: 'same' }));
    const [one, two] = await Promise.all(both);
    expect([one?.data?.stdout, two?.data?.stdout]).toEqual(['1\n', '2\n']);
  });
});

describe('what a command is given', () => {
  test('folder, variables, input and arguments as they are', async () => {
    const argv = ['sh', '-c', 'pwd; printf "%s\\n" "$GREETING" "$1"; cat', 'sh', '$(id) "quoted"'];
    const { data } = await run(full, { argv, cwd: stateDirectory, env: { GREETING: 'a b' }, stdin: 'typed' });
    expect(data?.stdout).toBe(`${stateDirectory}\na b\n$(id) "quoted"\ntyped`);
  });

  test('a program that does not read its input is no failure', async () => {
    const { data } = await run(full, { argv: ['true'], stdin: 'x'.repeat(200_000) });
    expect(data?.exitCode).toBe(0);
  });

  test('other exit codes than 0 count as success where the job says so', async () => {
    const { data } = await run(full, { argv: ['grep', 'x', '/dev/null'], exitCodes: [0, 1] });
    expect(data?.exitCode).toBe(1);
  });

  test("nothing of the runner's credentials is in its environment", async () => {
    const secrets = {
      RUNNER_TOKEN: 'token-of-the-runner',
      JOBFORGE_SECRETS_KEY: 'key-of-jobforge',
      MY_API_KEY: 'other',
    };
    Object.assign(process.env, secrets);
    try {
      const { data } = await run(full, { argv: ['env'] });
      for (const value of Object.values(secrets)) expect(data?.stdout).not.toContain(value);
    } finally {
      for (const name of Object.keys(secrets)) delete process.env[name];
    }
    for (const own of ['RUNNER_TOKEN', 'SWAMP_WORKER_TOKEN', 'SWARMLET_ENROLL_TOKEN']) {
      expect(() => shell({ profile: 'full', stateDirectory, environment: [own] })).toThrow(
        `"${own}" is a credential of the runner`,
      );
    }
  });

  test('its secrets are variables, and hidden in what it prints and in its result', async () => {
    const withSecret = shell({ profile: 'full', stateDirectory, secrets: ['DB_PASSWORD'] });
    const ended = await run(
      withSecret,
      { command: 'echo "<$DB_PASSWORD>"' },
      { secrets: { DB_PASSWORD: 'correct horse' } },
    );
    expect(ended.data?.stdout).toBe('<[redacted]>\n');
    expect(JSON.stringify(ended.events)).not.toContain('correct horse');
  });

  test('limits hold: the size of a file, memory', async () => {
    const file = join(stateDirectory, 'big');
    const big = await run(full, {
      command: `exec head -c 100000 /dev/zero > ${file}`,
      limits: { fileSizeBytes: 10_240 },
    });
    expect(big.error?.code).toBe('COMMAND_LIMIT_EXCEEDED');
    const greedy = await run(full, {
      argv: ['head', '-c', '300000000', '/dev/zero', '--bytes=300M'],
      limits: { memoryBytes: 1_000_000 },
    });
    expect(greedy.outcome).toBe('failed');
  });

  test('a job may ask for stricter limits than the capability has, not for wider ones', async () => {
    const strict = shell({ profile: 'full', stateDirectory, limits: { fileSizeBytes: 1_024 } });
    const { data } = await run(strict, { command: 'ulimit -f', limits: { fileSizeBytes: 1_000_000 } });
    expect(data?.stdout).toBe('2\n');
  });

  test('with runAs it runs as that user, with none of the groups of the runner', async ({ skip }) => {
    if (process.getuid?.() !== 0) return skip('only root may run programs as another user');
    const other = shell({ profile: 'full', stateDirectory, runAs: { uid: 65_534, gid: 65_534 } });
    const { data } = await run(other, {
      command: `id -u; id -G; cat /proc/${process.pid}/environ 2>/dev/null | wc -c`,
    });
    expect(data?.stdout).toBe('65534\n65534\n0\n');
  });

  test('an input that is both or neither, and one with NUL, is refused', async () => {
    for (const input of [
      {},
      { argv: ['true'], command: 'true' },
      { argv: ['a\0b'] },
      { argv: ['true'], colour: 1 },
    ]) {
      const { error } = await run(full, input);
      expect(error?.code).toBe('VALIDATION_ERROR');
    }
  });
});

test('the log of the runner, unless it is to debug, holds no command, no argument, no input and no output', async () => {
  const lines: string[] = [];
  const note = (...said: readonly unknown[]): void => void lines.push(JSON.stringify(said));
  const logger = { debug: () => undefined, info: note, warn: note, error: note };
  const runner = createRunner({ name: 'quiet', capabilities: [full], logger });
  const payloads = [
    { command: 'echo "printed-$((3 * 37))"; exit 3; : password-of-a-command' },
    { argv: ['/no/such/program', 'password-of-an-argument'] },
    { argv: ['cat'], stdin: 'password-of-an-input', env: { SECRET: 'password-of-a-variable' } },
  ];
  const outcomes: string[] = [];
  for (const [number, payload] of payloads.entries()) {
    const request = { capabilityId: full.id, payload, timeoutMs: 20_000, attempt: 1, metadata: {} };
    const ids = { executionId: `quiet-${number}`, jobId: `quiet-${number}`, moduleId: 'quiet' };
    for await (const event of runner.execute({ ...request, ...ids })) outcomes.push(event.type);
  }
  expect(outcomes.filter((type) => type === 'failed' || type === 'succeeded')).toHaveLength(3);
  expect(lines.join('\n')).toContain('the command ended with exit code 3');
  expect(lines.join('\n')).not.toMatch(/password-of|printed-111/);
});
