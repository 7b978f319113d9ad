import { runCapability } from '@controlplane/runner-sdk/testing';
import { expect, it } from 'vitest';
import { shellReadonly } from './shell-readonly.js';

it('reads a file of an allowed folder', async () => {
  const run = await runCapability(shellReadonly, { argv: ['cat', 'welcome.txt'] });
  expect(run.data).toMatchObject({ exitCode: 0, stdout: 'Hello, Ada\n' });
});

it('reads none outside', async () => {
  const run = await runCapability(shellReadonly, { argv: ['cat', '../package.json'] });
  expect(run.error).toMatchObject({ code: 'PATH_NOT_ALLOWED' });
});

it('runs no program that could change something', async () => {
  const run = await runCapability(shellReadonly, { argv: ['rm', 'welcome.txt'] });
  expect(run.error).toMatchObject({ code: 'COMMAND_NOT_ALLOWED' });
});
