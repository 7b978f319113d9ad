import { findInterpreters } from '@controlplane/capabilities/script';
import { runCapability } from '@controlplane/runner-sdk/testing';
import { expect, it } from 'vitest';
import { scriptRun } from './script-run.js';

const scripts = scriptRun(await findInterpreters());

it('gives back what a script returns, and what it prints', async () => {
  const code = 'console.log("counting"); job.return(job.input.numbers.length)';
  const run = await runCapability(scripts, { language: 'node', code, input: { numbers: [1, 2, 3] } });
  expect(run.data).toMatchObject({ exitCode: 0, data: 3, stdout: 'counting\n' });
});

it('fails with the exit code of a script that fails', async () => {
  const run = await runCapability(scripts, { language: 'node', code: 'process.exit(3)' });
  expect(run.error).toMatchObject({ code: 'COMMAND_FAILED' });
});

it('shows a script nothing of the runner\'s environment', async () => {
  const run = await runCapability(scripts, { language: 'node', code: 'job.return(process.env.RUNNER_TOKEN ?? null)' });
  expect(run.data).toMatchObject({ data: null });
});
