import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openFolders } from '../testing/open-folders.js';
import { openForges } from '../testing/open-forge.js';
import { runJobforge } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';
import { secretsKey } from './secrets-key.js';

const test = openForges();
const { inFolder, remove } = openFolders();
afterEach(async () => {
  await test.close();
  remove();
});

async function served(): Promise<string> {
  const forge = await test.forge({ listen: { port: 0 } });
  return forge.url ?? '';
}

describe('jobforge secret', () => {
  it('sets from standard input or a file, lists without values, and deletes', async () => {
    const url = await served();
    const file = join(inFolder(), 'key.txt');
    writeFileSync(file, 'from-a-file\n');
    const readStdin = async (): Promise<string> => 'hunter2\n';
    expect(await runJobforge(url, ['secret', 'set', 'API_KEY'], { readStdin })).toMatchObject({
      code: 0,
      out: ['API_KEY is set for all capabilities'],
    });
    const set = ['secret', 'set', 'API_KEY', '--file', file, '--capability', 'echo', '--json'];
    const told = await runJobforge(url, set, { readFile: (path) => readFile(path, 'utf8') });
    expect(JSON_OUTPUT['secret set'].parse(JSON.parse(told.out[0] ?? ''))).toMatchObject({
      name: 'API_KEY',
      capability: 'echo',
    });
    const list = await runJobforge(url, ['secret', 'list']);
    expect(list.out.map((line) => line.split(/\s{2,}/).slice(0, 2))).toEqual([
      ['NAME', 'FOR'],
      ['API_KEY', 'all capabilities'],
      ['API_KEY', 'echo'],
    ]);
    expect(JSON.stringify([told, list])).not.toMatch(/hunter2|from-a-file/);
    const gone = await runJobforge(url, ['secret', 'delete', 'API_KEY', '--json']);
    expect(gone.out).toEqual(['{"name":"API_KEY","deleted":true}']);
    expect(await runJobforge(url, ['secret', 'delete', 'API_KEY'])).toMatchObject({
      code: 1,
      err: [expect.stringContaining('SECRET_NOT_FOUND'), expect.any(String)],
    });
  });

  it('refuses an empty value and a name that cannot be one', async () => {
    const url = await served();
    expect(await runJobforge(url, ['secret', 'set', 'A'])).toMatchObject({ code: 2 });
    const readStdin = async (): Promise<string> => 'x';
    const run = await runJobforge(url, ['secret', 'set', 'NO-DASH'], { readStdin });
    expect(run.err[0]).toContain('VALIDATION_ERROR');
  });
});

describe('jobforge audit list', () => {
  it('tells who did what, as a table and as JSON', async () => {
    const url = await served();
    const readStdin = async (): Promise<string> => 'hunter2';
    await runJobforge(url, ['secret', 'set', 'API_KEY'], { readStdin });
    const run = await runJobforge(url, ['audit', 'list', '--action', 'secret.set']);
    expect(run.out[1]).toMatch(/anyone +secret\.set +secret:API_KEY/);
    const json = await runJobforge(url, ['audit', 'list', '--json']);
    const page = JSON_OUTPUT['audit list'].parse(JSON.parse(json.out[0] ?? ''));
    expect(page.entries).toMatchObject([{ seq: 1, action: 'secret.set' }]);
  });
});

describe('the key for secrets', () => {
  it('is made once in the data folder, for its owner alone', async () => {
    const folder = join(inFolder(), 'data');
    const key = await secretsKey({ env: {}, folder });
    expect(await secretsKey({ env: {}, folder })).toBe(key);
    const path = join(folder, 'secrets.key');
    expect(readFileSync(path, 'utf8').trim()).toBe(key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('comes from the environment or a file before that, and is refused where it is none', async () => {
    const folder = inFolder();
    const [one, two] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
    const file = join(folder, 'mounted');
    writeFileSync(file, `${two}\n`);
    const env = { JOBFORGE_SECRETS_KEY: one, JOBFORGE_SECRETS_KEY_FILE: file };
    expect(await secretsKey({ env, folder })).toBe(one);
    expect(await secretsKey({ env: { JOBFORGE_SECRETS_KEY_FILE: file }, folder })).toBe(two);
    expect(await secretsKey({ env: {}, folder: undefined })).toBeUndefined();
    await expect(secretsKey({ env: { JOBFORGE_SECRETS_KEY: 'short' }, folder })).rejects.toMatchObject({
      envelope: { message: expect.stringContaining('JOBFORGE_SECRETS_KEY') as string },
    });
  });
});
