import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startDaemon } from '../daemon-process.js';
import { makeProcessEngine } from '../process-engine.js';
import { temporaryFolder } from '../served-runner.js';
import { startFiveHosts, type AnyHost } from './five-hosts.js';

const SECRETS = /seven-secret|s3cret|default-secret|let-me-in/;

test('one ready-made runner serves every kind of control plane at once: slots are shared, and one drain ends all', async () => {
  const hosts = await startFiveHosts();
  const named = (name: string): AnyHost => {
    const found = hosts.find((host) => host.name === name);
    if (!found) throw new Error(`no host ${name}`);
    return found;
  };
  const folder = temporaryFolder();
  const env = Object.assign({}, ...hosts.map((host) => host.env)) as Record<string, string>;
  const kinds = hosts.map(({ name }) => name).join(',');
  const limits = [
    '--concurrency',
    '2',
    '--shell',
    'full',
    '--script',
    '--container-image',
    'localhost/tasks:1',
  ];
  const daemon = startDaemon(['--host', kinds, ...limits, '--state-dir', join(folder, 'state')], {
    ...env,
    PATH: `${dirname(makeProcessEngine().path)}:${process.env['PATH'] ?? ''}`,
  });
  await Promise.race([
    Promise.all(hosts.map((host) => host.connected())),
    daemon.exit.then((code) => Promise.reject(new Error(`ended with ${code}: ${daemon.log()}`))),
  ]);

  // Two slots: whoever comes first has them, whatever it speaks.
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  const until = (file: string): string => `echo on; while [ ! -f ${file} ]; do sleep 0.05; done; echo off`;
  const script = await named('automn').give(until(one));
  await script.shows('on');
  const task = await named('quarterback').give(until(other));
  await task.shows('Task started');
  expect((await (await named('swamp').give('true')).ended()).words).toBe('worker_busy');
  expect((await (await named('swarmlet').give('true')).ended()).words).toBe(
    'failed Runner is busy with another job',
  );
  expect((await (await named('automn').give('true')).ended()).words).toBe('429 Runner is at capacity');
  // Those that can wait do, and have the slots that are free again.
  const waiting = [await named('jobforge').give('echo forge'), await named('quarterback').give('echo task')];
  writeFileSync(one, '');
  expect((await script.ended()).printed).toBe('on\noff\n');
  for (const given of waiting) expect((await given.ended()).words).toMatch(/^(completed|success)$/);
  const line = await named('swarmlet').give('echo line');
  expect(await line.ended()).toEqual({ words: 'success 0', printed: 'line\n' });

  // What runs is finished, and everybody is told.
  const last = await named('swamp').give('echo on; sleep 1; echo off');
  await last.shows('on');
  daemon.child.kill('SIGTERM');
  expect(await last.ended()).toEqual({ words: 'success', printed: 'on\noff\n' });
  writeFileSync(other, '');
  expect(await task.ended()).toEqual({ words: 'success', printed: 'on\noff\n' });
  expect(await daemon.exit, daemon.log()).toBe(0);
  expect(daemon.log()).not.toMatch(SECRETS);
}, 120_000);
