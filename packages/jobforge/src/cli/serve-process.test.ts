import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE, CERTIFICATE_KEY } from '../testing/certificate.fixture.js';
import { exitOf, jobforge, startServing, testFolder } from './jobforge-process.fixture.js';
import { JSON_OUTPUT } from './json-output.js';

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('jobforge serve as a process', () => {
  it('asks for credentials, which begin with the admin token that it makes in its data folder', async () => {
    const data = join(await testFolder(), 'data');
    const first = await startServing('serve', ['--data', data]);
    const adminTokenFile = join(data, 'admin.token');
    expect(first.ready).toMatchObject({ adminTokenFile });
    expect([await modeOf(data), await modeOf(adminTokenFile)]).toEqual([0o700, 0o600]);
    const run = async (url: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
      exitOf(jobforge(args, { JOBFORGE_URL: url, ...env }));
    expect(await run(first.url, ['job', 'list'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('CREDENTIAL_MISSING'),
    });
    const admin = { JOBFORGE_TOKEN_FILE: adminTokenFile };
    const made = await run(first.url, ['token', 'create', 'ci', '--role', 'submit'], admin);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining('has the role submit') });
    const ci = { JOBFORGE_TOKEN: made.out.trim() };
    const submit = ['job', 'submit', 'nobody.offers', '{}', '--id', 'kept'];
    expect(await run(first.url, submit, ci)).toMatchObject({ code: 0 });
    expect(await run(first.url, ['token', 'list'], ci)).toMatchObject({
      code: 1,
      err: expect.stringContaining('ROLE_REQUIRED'),
    });
    first.child.kill('SIGTERM');
    expect(await exitOf(first.child)).toMatchObject({ code: 0 });
    const second = await startServing('serve', ['--data', data]);
    const tokens = await run(second.url, ['token', 'list', '--json', '--token-file', adminTokenFile]);
    expect(JSON_OUTPUT['token list'].parse(JSON.parse(tokens.out))).toMatchObject([{ name: 'ci' }]);
    expect(await run(second.url, ['job', 'show', 'kept'], ci)).toMatchObject({ code: 0 });
    expect(await run(second.url, ['token', 'revoke', 'ci'], admin)).toMatchObject({ code: 0 });
    expect(await run(second.url, ['job', 'show', 'kept'], ci)).toMatchObject({
      code: 1,
      err: expect.stringContaining('TOKEN_REVOKED'),
    });
  });

  it('speaks HTTPS alone where it is given a certificate', async () => {
    const folder = await testFolder();
    const [cert, key, token] = ['cert.pem', 'key.pem', 'token'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(cert, CERTIFICATE);
    await writeFile(key, CERTIFICATE_KEY);
    await writeFile(token, `${'t'.repeat(32)}\n`);
    const args = ['--memory', '--tls-cert', cert, '--tls-key', key, '--admin-token-file', token];
    const { url } = await startServing('serve', args);
    expect(url).toMatch(/^https:/);
    const list = ['job', 'list', '--token-file', token, '--url'];
    const trusting = { NODE_EXTRA_CA_CERTS: cert };
    expect(await exitOf(jobforge([...list, url], trusting))).toMatchObject({ code: 0 });
    expect(await exitOf(jobforge([...list, url]))).toMatchObject({
      code: 4,
      err: expect.stringContaining('self-signed certificate'),
    });
    const plain = url.replace('https:', 'http:');
    expect(await exitOf(jobforge([...list, plain], trusting))).toMatchObject({ code: 4 });
  });
});
