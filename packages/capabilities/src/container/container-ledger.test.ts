import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createContainerLedger } from './container-ledger.js';

test('an engine that hangs holds the end of the runner up for seconds, and its record stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  const [directory, files] = [join(folder, 'containers'), join(folder, 'files')];
  const others = process.listeners('exit');
  const remove = vi.fn<(names: readonly string[], answerMs?: number) => void>(() => {
    throw new Error('ETIMEDOUT');
  });
  const ledger = createContainerLedger(directory, '/usr/bin/podman', remove);
  onTestFinished(() => {
    ledger.close('one');
    rmSync(folder, { recursive: true });
  });
  ledger.open('one', files);
  const added = process.listeners('exit').filter((listener) => !others.includes(listener));
  expect(added).toHaveLength(1);
  added[0]?.call(process, 0);
  expect(remove.mock.calls).toEqual([[['one'], 5_000]]);
  expect(readdirSync(directory)).toEqual(['one.json']);
});
