import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCapability } from '@controlplane/runner-sdk/testing';
import { afterAll, expect, test } from 'vitest';
import { findInterpreters } from './interpreters.js';
import { script } from './script.js';

const root = mkdtempSync(join(tmpdir(), 'interpreters-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function standIn(name: string, code: string): string {
  const file = join(root, name);
  writeFileSync(file, `#!${process.execPath}\n${code}\n`);
  chmodSync(file, 0o755);
  return file;
}
// Is there, and says nothing for as long as anybody waits.
const hanging = standIn('hanging', `process.on('SIGTERM', () => {}); setInterval(() => {}, 1_000);`);

test('an interpreter that has not answered in time is not taken for one that is missing', async () => {
  await expect(findInterpreters({ python: hanging }, { probeMs: 500 })).rejects.toThrow(
    `python: ${JSON.stringify(hanging)} did not answer within 0.5 s`,
  );
});

test('a script that cannot run is told that its interpreter hangs', async () => {
  const scripts = script({
    interpreters: {
      languages: { node: { path: process.execPath, version: process.versions.node } },
      labels: {},
      unanswered: { python: '"python3" did not answer within 60 s' },
    },
    workDirectory: join(root, 'work'),
    stateDirectory: join(root, 'state'),
  });
  const { error } = await runCapability(scripts, { language: 'python', code: '1' });
  expect(error).toMatchObject({ code: 'INTERPRETER_MISSING', retryable: false });
  expect(error?.message).toContain('(when it started, "python3" did not answer within 60 s)');
});

test('one that is slow is waited for', async () => {
  const slow = standIn(
    'slow',
    `setTimeout(() => console.log(${JSON.stringify(join(root, 'slow'))} + '\\n9.8.7'), 300);`,
  );
  const { languages, unanswered } = await findInterpreters({ python: slow });
  expect(languages.python).toEqual({ path: slow, version: '9.8.7' });
  expect(unanswered?.python).toBeUndefined();
});

test('Node.js is the program that asks, and is not started for it', async () => {
  const { languages } = await findInterpreters({ python: standIn('quick', `console.log('/p\\n1.0.0')`) });
  expect(languages.node).toEqual({ path: process.execPath, version: process.versions.node });
});
