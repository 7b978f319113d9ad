import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createVirtualClock } from '../../util/virtual-clock.js';
import type { CredentialSource } from '../credential-source.js';
import type { StateFiles } from '../state-files.js';
import { fileNameOf } from '../state-files.js';
import { createCredentials } from './credentials.js';

const URL = 'http://jobforge.test';
const SECRET_FILE = `secrets/${fileNameOf(URL)}`;

function stateOf(files: Map<string, string>): StateFiles {
  return {
    read: async (name) => files.get(name),
    write: async (name, text) => void files.set(name, text),
    remove: async (name) => void files.delete(name),
    list: async () => [...files.keys()],
  };
}

function credentialsOf(source: CredentialSource | undefined, files = new Map<string, string>()) {
  const problems: string[] = [];
  const credentials = createCredentials({
    source,
    controlPlaneUrl: URL,
    state: stateOf(files),
    clock: createVirtualClock(),
    onProblem: (message) => void problems.push(message),
  });
  return { credentials, files, problems };
}

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'credential-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'token');
  await writeFile(file, text);
  return file;
}

const TWO_LINES = 'aa-first\nbb-second\n';

describe.each([
  ['a text', async (text: string) => text],
  ['a function', async (text: string) => () => text],
  ['a file', async (text: string) => ({ file: await fileOf(text) })],
] as const)('a credential from %s', (_what, sourceOf) => {
  test('is taken without the line break at its end', async () => {
    const { credentials } = credentialsOf(await sourceOf('enrol.secret\n'));
    expect(await credentials.forRegistration()).toBe('Bearer enrol.secret');
  });

  test('that cannot be sent is refused without a word of it', async () => {
    const { credentials } = credentialsOf(await sourceOf(TWO_LINES));
    const error: unknown = await credentials.forRegistration().catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/credential.* holds a space, a line break .*on one line/);
    expect(String(error)).not.toMatch(/first|second/);
    expect(credentials.current()).toBeUndefined();
  });
});

describe('a runner secret', () => {
  test('that is refused is not used again, and stays kept for who restarts with the right control plane', async () => {
    const files = new Map([[SECRET_FILE, 'secret-1']]);
    const { credentials } = credentialsOf('enrol', files);
    expect(await credentials.forRegistration()).toBe('Bearer secret-1');
    expect(credentials.refused('CREDENTIAL_INVALID')).toBe(true);
    expect(await credentials.forRegistration()).toBe('Bearer enrol');
    expect(credentials.refused('TOKEN_EXPIRED')).toBe(false);
    await credentials.flush();
    const restarted = credentialsOf('enrol', files).credentials;
    expect(await restarted.forRegistration()).toBe('Bearer secret-1');
  });

  test('takes the place of the one that was refused', async () => {
    const { credentials, files } = credentialsOf('enrol', new Map([[SECRET_FILE, 'secret-1']]));
    await credentials.forRegistration();
    credentials.refused('CREDENTIAL_INVALID');
    credentials.take({ runnerSecret: 'secret-2' });
    await credentials.flush();
    expect(files.get(SECRET_FILE)).toBe('secret-2');
  });

  test('whose file was damaged is left out, without a word of it', async () => {
    const { credentials, problems } = credentialsOf('enrol', new Map([[SECRET_FILE, TWO_LINES]]));
    expect(await credentials.forRegistration()).toBe('Bearer enrol');
    expect(problems).toEqual([expect.stringContaining('the runner secret in the state directory')]);
    expect(problems.join()).not.toMatch(/first|second/);
  });
});
