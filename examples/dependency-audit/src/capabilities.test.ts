import type { CapabilityContext } from '@controlplane/runner-sdk';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { duplicates, licenses } from './capabilities.js';
import { createInstallation, type InstallationFixture } from './installation.fixture.js';

interface Recorded {
  readonly context: CapabilityContext;
  readonly logs: [level: string, message: string, fields?: object][];
  readonly progress: number[];
}

function record(signal = new AbortController().signal): Recorded {
  const logs: Recorded['logs'] = [];
  const progress: number[] = [];
  const method =
    (level: string) =>
    (message: string, fields?: object): void =>
      void logs.push(fields ? [level, message, fields] : [level, message]);
  const log = { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') };
  const context = {
    signal,
    log,
    progress: async (fraction: number) => void progress.push(fraction),
    jobId: 'job-1',
    executionId: 'execution-1',
    attempt: 1,
    metadata: {},
  } as unknown as CapabilityContext;
  return { context, logs, progress };
}

let project: InstallationFixture;
beforeEach(() => {
  project = createInstallation();
});
afterEach(() => rmSync(project.dir, { recursive: true, force: true }));

describe('deps.licenses', () => {
  test('groups by license, warns of what to look at and never goes back in its progress', async () => {
    for (let index = 0; index < 120; index += 1) {
      project.add(`node_modules/p${index}`, { name: `p${index}`, version: '1.0.0', license: 'MIT' });
    }
    project.add('node_modules/odd', { name: 'odd', version: '1.0.0', license: 'GPL-3.0-only' });
    project.add('node_modules/broken', 'no JSON');
    const { context, logs, progress } = record();
    const report = await licenses.execute({ dir: project.dir }, context);
    expect(report).toMatchObject({
      packages: 121,
      groups: [{ verdict: 'copyleft' }, { license: 'MIT', count: 120 }],
    });
    expect(logs).toContainEqual(['warn', 'copyleft license', { license: 'GPL-3.0-only', packages: 1 }]);
    expect(logs).toContainEqual([
      'warn',
      'package.json is not JSON',
      { path: `${project.dir}/node_modules/broken` },
    ]);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.length).toBeGreaterThan(4);
    expect(progress.at(-1)).toBe(1);
  });

  test('a folder without node_modules is a permanent error that says what to do', async () => {
    const refused = Promise.resolve(licenses.execute({ dir: project.dir }, record().context));
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', options: { retryable: false } });
    await expect(refused).rejects.toThrow('has no node_modules: install its packages first');
  });
});

describe('deps.duplicates', () => {
  beforeEach(() => {
    project.add('node_modules/a', { name: 'a', version: '1.0.0' }, 10);
    project.add('node_modules/b/node_modules/a', { name: 'a', version: '2.0.0' }, 10);
  });

  test('reports versions and sizes', async () => {
    const report = await duplicates.execute({ dir: project.dir }, record().context);
    expect(report).toMatchObject({
      packages: 2,
      duplicates: [{ name: 'a', versions: [{ version: '1.0.0' }, { version: '2.0.0' }] }],
    });
  });

  test('counts what deps.licenses counts, and the copies apart', async () => {
    project.add('node_modules/c/node_modules/a', { name: 'a', version: '2.0.0' });
    const judged = await licenses.execute({ dir: project.dir }, record().context);
    const found = await duplicates.execute({ dir: project.dir }, record().context);
    expect(judged).toMatchObject({ packages: 2 });
    expect(found).toMatchObject({ packages: 2, copies: 3 });
  });

  test('stops when it is told to', async () => {
    const { context } = record(AbortSignal.abort(new Error('enough')));
    await expect(Promise.resolve(duplicates.execute({ dir: project.dir }, context))).rejects.toThrow(
      'enough',
    );
  });
});
