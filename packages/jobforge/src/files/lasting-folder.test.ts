import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openFolders } from '../testing/open-folders.js';
import { makeFolder, syncFolder } from './lasting-folder.js';

const { inFolder, remove } = openFolders();
afterEach(remove);

it('makes a folder with those above it, and again', async () => {
  const folder = join(inFolder(), 'a', 'b', 'c');
  await makeFolder(folder);
  await makeFolder(folder);
  expect(statSync(folder).isDirectory()).toBe(true);
  await syncFolder(folder);
});

it('says where there is no folder to sync', async () => {
  await expect(syncFolder(join(inFolder(), 'none'))).rejects.toThrow('ENOENT');
});
