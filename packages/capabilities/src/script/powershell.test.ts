import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCapability } from '@controlplane/runner-sdk/testing';
import { afterAll, expect, test } from 'vitest';
import { findInterpreters } from './interpreters.js';
import { script } from './script.js';

// A program in PowerShell's place, really started: what a runner does around it. The module that scripts in PowerShell
// speak with is tried by script-weak-points.test.ts, where pwsh is installed.

const root = mkdtempSync(join(tmpdir(), 'powershell-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const pwsh = fileURLToPath(new URL('stand-in-pwsh.fixture.mjs', import.meta.url));
const interpreters = await findInterpreters({ powershell: pwsh });
const scripts = script({
  interpreters,
  workDirectory: join(root, 'work'),
  stateDirectory: join(root, 'state'),
});

test('PowerShell is found at the start, and is a label of the runner', () => {
  expect(interpreters.languages.powershell).toEqual({ path: pwsh, version: '7.5.1' });
  expect(interpreters.labels).toMatchObject({ powershell: '7.5.1' });
});

test('a script is given arguments, variables and input, and speaks on the channel with commands of a module', async () => {
  const code = `console.log('printed'); job.say('log', 'warn', 'careful'); job.say('progress', '0.5', 'half');
job.say('return', JSON.stringify({ sum: job.input.a + Number(process.env.B), args: job.args, commands: job.commands, telemetry: process.env.POWERSHELL_TELEMETRY_OPTOUT }));`;
  const ended = await runCapability(scripts, {
    language: 'powershell',
    code,
    input: { a: 1 },
    variables: { B: '2' },
    args: ['-Name', 'Ada Lovelace'],
  });
  expect(ended.error).toBeUndefined();
  expect(ended.data).toMatchObject({ exitCode: 0, stdout: 'printed\n', stderr: '' });
  expect(ended.data?.data).toEqual({
    sum: 3,
    args: ['-Name', 'Ada Lovelace'],
    commands: ['Get-JobInput', 'Set-JobResult', 'Write-JobLog', 'Write-JobProgress', 'Send-JobNotification'],
    telemetry: '1',
  });
  expect(ended.data?.logs).toEqual([{ level: 'warn', message: 'careful' }]);
  expect(ended.progress).toMatchObject([{ fraction: 0.5, message: 'half' }]);
});

test('its exit code is that of the script', async () => {
  const { error } = await runCapability(scripts, { language: 'powershell', code: 'process.exit(4)' });
  expect(error).toMatchObject({ code: 'COMMAND_FAILED', retryable: false });
});

test('it has no packages to install, and no variable steers where its commands come from', async () => {
  const input = { language: 'powershell', code: '1' } as const;
  const packages = await runCapability(scripts, { ...input, dependencies: ['Pester'] });
  const steered = await runCapability(scripts, { ...input, variables: { PSModulePath: '/tmp' } });
  expect([packages.error?.code, steered.error?.code]).toEqual(['VALIDATION_ERROR', 'VALIDATION_ERROR']);
});
