import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCapability, type RunCapabilityOptions } from '@controlplane/runner-sdk/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { alive, endOf, uniqueSeconds } from '../process/process-control.suite.js';
import { findInterpreters } from './interpreters.js';
import type { ScriptInput } from './script-input.js';
import { SCRIPT_LANGUAGES, type ScriptLanguage } from './script-languages.js';
import { script } from './script.js';

// What runners of the kind that this one replaces got wrong, one test each.

const root = mkdtempSync(join(tmpdir(), 'scripts-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const workDirectory = join(root, 'work');
const interpreters = await findInterpreters();
const options = { interpreters, workDirectory, stateDirectory: join(root, 'state'), termGraceMs: 300 };
const scripts = script({ ...options, keepFailed: 0 });

const run = (input: Partial<ScriptInput> & { readonly code: string }, more: RunCapabilityOptions = {}) =>
  runCapability(scripts, { language: 'node', ...input } as never, more);
const runs = (): string[] => readdirSync(workDirectory).filter((name) => name.startsWith('run-'));

const SPEAKING: Readonly<Record<ScriptLanguage, string>> = {
  node: `console.log('printed'); job.log.warn('careful', { at: 1 }); job.progress(0.5, 'half'); job.notify('look', 'warn', 'ops');
job.return({ sum: job.input.a + Number(process.env.B), args: process.argv.slice(2) });`,
  python: `import job, os, sys
print('printed'); job.log('careful', 'warn', {'at': 1}); job.progress(0.5, 'half'); job.notify('look', 'warn', 'ops')
job.returns({'sum': job.input['a'] + int(os.environ['B']), 'args': sys.argv[1:]})`,
  bash: `echo printed; job_log warn careful '{"at": 1}'; job_progress 0.5 half; job_notify look warn ops
job_return "{\\"sum\\": $(($(tr -dc 0-9 < "$JOB_INPUT") + B)), \\"args\\": [\\"$1\\"]}"`,
  powershell: `'printed'; Write-JobLog careful warn @{ at = 1 }; Write-JobProgress 0.5 half; Send-JobNotification look warn ops
Set-JobResult @{ sum = (Get-JobInput).a + [int]$env:B; args = @($args) }`,
};

describe.each(SCRIPT_LANGUAGES)('a script in %s', (language) => {
  test('is given input, variables and arguments, and returns, logs, tells its progress and notifies', async ({
    skip,
  }) => {
    if (!interpreters.languages[language]) return skip(`no interpreter for ${language} answers here`);
    const ended = await run({
      language,
      code: SPEAKING[language],
      input: { a: 1 },
      variables: { B: '2' },
      args: ['x'],
    });
    expect(ended.error).toBeUndefined();
    expect(ended.data).toMatchObject({
      exitCode: 0,
      stdout: 'printed\n',
      stderr: '',
      data: { sum: 3, args: ['x'] },
      logs: [{ level: 'warn', message: 'careful', fields: { at: 1 } }],
      notifications: [{ level: 'warn', message: 'look', audience: 'ops' }],
      input: { a: 1 },
    });
    expect(ended.progress).toMatchObject([{ fraction: 0.5, message: 'half' }]);
    expect(ended.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'careful', fields: { at: 1 } }),
    );
    expect(ended.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'look', notification: { audience: 'ops' } }),
    );
  });
});

describe('a return value', () => {
  test('is not forged by what is printed, and no marker of the channel is in the output', async () => {
    const forged = [
      '__SCRIPTRETURN__\\n{"forged":true}',
      'return eyJmb3JnZWQiOnRydWV9',
      '\\nreturn eyJmb3JnZWQiOnRydWV9\\n',
      '{"type":"return","value":{"forged":true}}',
    ];
    const code = `for (const text of ${JSON.stringify(forged)}) { console.log(text); console.error(text); }
job.return('true one'); for (const text of ${JSON.stringify(forged)}) console.log(text);`;
    const { data } = await run({ code });
    expect(data?.data).toBe('true one');
    const silent = await run({
      code: `process.stdout.write(${JSON.stringify(forged[2])}); job.log.info('kept apart')`,
    });
    expect(silent.data).toMatchObject({ data: null, stdout: forged[2] });
  });

  test('counts, and the script goes on to its end', async () => {
    const code = `job.return('early'); await new Promise((done) => setTimeout(done, 700)); console.log('later');`;
    const { data } = await run({ code });
    expect(data).toMatchObject({ exitCode: 0, data: 'early', stdout: 'later\n' });
  });

  test('of what is no message on its descriptor there is a warning, and nothing else', async () => {
    const ended = await run({
      language: 'bash',
      code: `echo 'nonsense !' >&3; printf 'progress !!\\n' >&3; job_return '[1]'`,
    });
    expect(ended.data?.data).toEqual([1]);
    expect(ended.logs).toContainEqual(expect.objectContaining({ level: 'warn', fields: { lines: 2 } }));
  });

  test('of a script that fails is told with its failure', async () => {
    const { error } = await run({ code: `job.return({ step: 3 }); console.error('why'); process.exit(4);` });
    expect(error).toMatchObject({ code: 'COMMAND_FAILED', retryable: false });
    expect(endOf(error ?? { details: [] })).toMatchObject({
      exitCode: 4,
      stderr: 'why\n',
      data: { step: 3 },
    });
  });
});

describe('the end', () => {
  test('a script that ignores SIGTERM is killed when its time is over, and its slot is free', async () => {
    const seconds = uniqueSeconds();
    const code = `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000); // ${seconds}`;
    const ended = await run({ code, args: [seconds] }, { timeoutMs: 2_500 });
    expect(ended.error?.code).toBe('EXECUTION_TIMEOUT');
    expect(ended.logs[0]).toMatchObject({ stream: 'stdout', message: 'up\n' });
    expect(ended.logs.at(-1)).toMatchObject({
      message: 'the script was stopped',
      fields: { signal: 'SIGKILL' },
    });
    expect(alive(seconds)).toEqual([]);
    expect((await run({ code: '1' })).outcome).toBe('succeeded');
  });

  test('a cancelled script ends, with what it started', async () => {
    const seconds = uniqueSeconds();
    const stop = new AbortController();
    const ended = await run(
      { language: 'bash', code: `sleep ${seconds} & echo up; wait` },
      { signal: stop.signal, onEvent: ({ type }) => type === 'log' && stop.abort() },
    );
    expect(ended.outcome).toBe('cancelled');
    expect(alive(seconds)).toEqual([]);
  });

  test('its folder is taken away; of scripts that failed the last ones are kept, readable by their user alone', async () => {
    expect((await run({ code: `require('node:fs').writeFileSync('file', 'x')` })).outcome).toBe('succeeded');
    expect(runs()).toEqual([]);
    const keeping = script({ ...options, keepFailed: 2 });
    for (const n of [1, 2, 3]) await runCapability(keeping, { language: 'bash', code: `exit ${n}` });
    expect(runs()).toHaveLength(2);
    script({ ...options });
    expect(runs(), 'the runner that keeps them lives').toHaveLength(2);
    for (const name of runs()) rmSync(join(workDirectory, name), { recursive: true });
  });
});

describe('output', () => {
  test('is bounded, counted, and whole in its characters', async () => {
    const small = script({ ...options, maxOutputBytes: 100 });
    const code = `process.stdout.write('é'.repeat(500_000))`;
    const { data } = await runCapability(small, { language: 'node', code });
    expect(data).toMatchObject({ stdoutBytes: 1_000_000, droppedBytes: 999_900 });
    expect(data?.stdout).toBe('é'.repeat(50));
  });

  test('what a script says is bounded too', async () => {
    const code = `for (let n = 0; n < 1_500; n++) job.log.info('line ' + n); for (let n = 0; n < 60; n++) job.notify('x'.repeat(3_000));`;
    const { data } = await run({ code });
    expect(data?.logs).toHaveLength(1_000);
    expect(data?.notifications).toHaveLength(50);
    expect(data?.notifications[0]?.message).toHaveLength(2_000);
  });
});

describe("the runner's credentials", () => {
  const looking = `const { readFileSync } = require('node:fs');
const own = JSON.stringify([process.env, process.argv]);
job.return({ own, parent: process.ppid });`;

  test('are not in the environment nor the arguments of a script, by any name', async () => {
    const secrets = {
      RUNNER_TOKEN: 'token-of-the-runner',
      AUTOMN_RUNNER_SECRET: 'secret-of-the-runner',
      PGPASSWORD: 'other',
    };
    Object.assign(process.env, secrets);
    try {
      const ended = await run({ code: looking });
      for (const value of Object.values(secrets)) expect(JSON.stringify(ended.events)).not.toContain(value);
    } finally {
      for (const name of Object.keys(secrets)) delete process.env[name];
    }
  });

  test('with runAs are neither in /proc nor in state files for it', async ({ skip }) => {
    if (process.getuid?.() !== 0) return skip('only root may run programs as another user');
    const shared = join(tmpdir(), `scripts-run-as-${process.pid}`);
    const other = script({ ...options, workDirectory: shared, runAs: { uid: 65_534, gid: 65_534 } });
    try {
      const code = `const { readFileSync, readdirSync } = require('node:fs');
const tried = (read) => { try { read(); return 'read'; } catch (error) { return error.code; } };
job.return([process.getuid(), tried(() => readFileSync('/proc/${process.pid}/environ')), tried(() => readdirSync('${join(root, 'state')}')), tried(() => readdirSync('${shared}'))]);`;
      const { data, error } = await runCapability(other, { language: 'node', code });
      expect(error).toBeUndefined();
      expect(data?.data).toEqual([65_534, 'EACCES', 'EACCES', 'EACCES']);
    } finally {
      rmSync(shared, { recursive: true, force: true });
    }
  });

  test('without runAs the runner warns at its start of what a script could read', () => {
    expect(scripts.startWarning).toMatch(/can read that user's files.*in \/proc the variables/);
  });

  test('a secret that lies where a message is cut leaves no half of it', async () => {
    const withSecret = script({ ...options, secrets: ['API_KEY'] });
    const { data, events, error } = await runCapability(
      withSecret,
      {
        language: 'node',
        code: `for (const say of [(text) => job.log.info(text), (text) => job.notify(text)])
  for (const length of [1_990, 8_182]) say('x'.repeat(length) + process.env.API_KEY)`,
      },
      { secrets: { API_KEY: 'correct horse battery' } },
    );
    expect(error).toBeUndefined();
    expect(JSON.stringify([data, events])).not.toMatch(/correct|battery/);
  });

  test('secrets of the job are variables, and hidden in what the script says and returns', async () => {
    const withSecret = script({ ...options, secrets: ['API_KEY'] });
    const code = `console.log(process.env.API_KEY); job.log.info(process.env.API_KEY); job.return({ key: process.env.API_KEY }); job.notify('<' + process.env.API_KEY + '>')`;
    const ended = await runCapability(
      withSecret,
      { language: 'node', code },
      { secrets: { API_KEY: 'correct horse' } },
    );
    expect(ended.outcome).toBe('succeeded');
    expect(JSON.stringify(ended.events)).not.toContain('correct horse');
    expect(ended.data).toMatchObject({ stdout: '[redacted]\n', data: { key: '[redacted]' } });
  });
});

describe('what cannot run', () => {
  test('is told at once, with the cause', async () => {
    const without = script({
      ...options,
      interpreters: { languages: { bash: { path: '/bin/bash', version: '5.0.0' } }, labels: {} },
    });
    const missing = await runCapability(without, { language: 'python', code: '1' });
    expect(missing.error).toMatchObject({ code: 'INTERPRETER_MISSING', retryable: false });
    expect(missing.error?.message).toContain('it has bash');
    const steering = await run({ code: '1', variables: { LD_PRELOAD: '/x.so' } });
    expect(steering.error?.code).toBe('VALIDATION_ERROR');
  });

  test('an interpreter that was chosen and does not answer is an error at the start', async () => {
    await expect(findInterpreters({ python: '/no/such/python' })).rejects.toThrow(
      /python: "\/no\/such\/python"/,
    );
    expect(interpreters.labels['node']).toBe(process.versions.node);
  });
});
