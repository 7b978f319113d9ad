import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findEngine } from './engine.js';

// The commands of the engines as programs of the test's own: which of them is chosen is all that is looked at here.

let folder: string;
const path = process.env['PATH'];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engines-'));
  process.env['PATH'] = folder;
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true, force: true });
});

const command = (name: string, line: string): void =>
  writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });

test('podman is taken where both answer', async () => {
  command('podman', 'echo 5.4.0');
  command('docker', 'echo 28.2.2');
  expect(await findEngine()).toEqual({
    kind: 'podman',
    path: join(folder, 'podman'),
    version: '5.4.0',
    labels: { podman: '5.4.0' },
  });
  expect((await findEngine('docker')).labels).toEqual({ docker: '28.2.2' });
});

test('docker is taken where podman is missing or does not answer', async () => {
  command('docker', 'echo 28.2.2');
  expect((await findEngine()).kind).toBe('docker');
  command('podman', 'echo cannot set up namespace >&2; exit 125');
  expect((await findEngine()).kind).toBe('docker');
});

test('a command without its server is no engine; what each said is told', async () => {
  await expect(findEngine()).rejects.toThrow(/podman: is not installed; docker: is not installed/);
  command('docker', 'echo Cannot connect to the Docker daemon >&2; exit 1');
  await expect(findEngine()).rejects.toThrow(
    /podman: is not installed; docker: Cannot connect to the Docker daemon/,
  );
});
