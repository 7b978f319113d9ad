import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

it('an upload and a submission are refused as unavailable where the folder of files cannot be written', async () => {
  const files = join(inFolder(), 'no-folder');
  writeFileSync(files, 'a file stands where the folder is to be');
  const forge = await test.forge({ files, listen: { port: 0 } });
  const refusal = {
    code: 'STORE_UNAVAILABLE',
    retryable: true,
    message: 'The folder of files cannot be used: ENOTDIR.',
  };
  const put = await fetch(`${forge.url}/files/${'0'.repeat(64)}`, { method: 'PUT', body: 'mine' });
  expect([put.status, await put.json()]).toMatchObject([503, { error: refusal }]);
  const data = { text: 'x'.repeat(300_000) };
  const asked = await fetch(`${forge.url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'echo', payload: { type: 'echo', data } }),
  });
  expect([asked.status, await asked.json()]).toMatchObject([503, { error: refusal }]);
  expect((await forge.operations.listJobs({ limit: 10 })).items).toEqual([]);
});
