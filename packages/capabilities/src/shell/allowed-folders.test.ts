import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createAllowedFolders } from './allowed-folders.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'allowed-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const [inside, outside] = [join(root, 'inside'), join(root, 'outside')];
mkdirSync(inside);
mkdirSync(outside);
writeFileSync(join(inside, 'file'), 'public');
writeFileSync(join(outside, 'file'), 'secret');

test('a link that is changed between the look and the opening leads nowhere', async () => {
  const link = join(inside, 'link');
  symlinkSync(inside, link);
  const flip = `const { renameSync, symlinkSync } = require('node:fs');
process.stdout.write('up');
for (let n = 0; ; n++) { symlinkSync(n % 2 ? ${JSON.stringify(inside)} : ${JSON.stringify(outside)}, ${JSON.stringify(`${link}2`)}); renameSync(${JSON.stringify(`${link}2`)}, ${JSON.stringify(link)}); }`;
  const flipping = spawn(process.execPath, ['-e', flip], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(flipping.stdout, 'data');
  const folders = createAllowedFolders([inside], []);
  const read = new Set<string>();
  let refused = 0;
  const until = performance.now() + 1_000;
  while (performance.now() < until) {
    try {
      const fd = folders.open('link/file', { cwd: inside, kind: 'file' });
      read.add(readFileSync(fd, 'utf8'));
      closeSync(fd);
    } catch {
      refused++;
    }
  }
  flipping.kill('SIGKILL');
  await once(flipping, 'exit');
  expect(read).toEqual(new Set(['public']));
  expect(refused).toBeGreaterThan(0);
});
