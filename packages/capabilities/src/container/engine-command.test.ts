import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeLeftBehind } from './engine-command.js';
import type { Engine } from './engine.js';

// A program of the test's own in the engine's place, which writes down what it was told and does.

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-'));
  writeFileSync(join(folder, 'said'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const said = (): string[] => readFileSync(join(folder, 'said'), 'utf8').split('\n').filter(Boolean);
function podman(...lines: readonly string[]): Engine {
  const path = join(folder, 'podman');
  const text = ['#!/bin/sh', 'cd "${0%/*}"', 'command=$1', 'shift', ...lines, ''].join('\n');
  writeFileSync(path, text, { mode: 0o755 });
  return { kind: 'podman', path, version: '4.3.1', labels: {} };
}

/** As podman does: `kill` looks up every name before it kills one. */
const ALL_OR_NONE = [
  'if [ "$command" = kill ]; then',
  '  for name; do case $name in missing) exit 125;; esac; done',
  'fi',
  'for name; do case $name in -*|KILL) ;; *) echo "$command $name" >> said;; esac; done',
];

test('a container that runs is killed before it is removed, though another is not made yet', () => {
  removeLeftBehind(podman(...ALL_OR_NONE), ['one', 'missing', 'two']);
  expect(said()).toEqual(['kill one', 'kill two', 'rm one', 'rm missing', 'rm two']);
});

test('an engine that hangs is asked once, whatever signals it heeds', () => {
  // Stopped, it takes no signal but SIGKILL.
  const engine = podman('echo "$command" >> said', 'kill -STOP $$');
  expect(() => removeLeftBehind(engine, ['one', 'two'], 500)).toThrow(/ETIMEDOUT/);
  expect(said()).not.toContain('rm');
});
