import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { main } from './main.js';

/** Runs a command line and catches what it writes. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    color: false,
    cwd: tmpdir(),
    environment: process.env,
  });
  return { code, ...written };
}

describe('contract-test list and explain', () => {
  it('shows a line for each requirement, or JSON', async () => {
    expect((await run('list')).out).toMatch(/^registration\.registers +MUST +core +A runner that starts/);
    expect(JSON.parse((await run('list', '--json')).out)).toContainEqual(
      expect.objectContaining({ id: 'health.answers', level: 'MUST' }),
    );
  });

  it('shows those of a profile alone', async () => {
    const { code, out } = await run('list', '--profile', 'security', '--json');
    const rows = JSON.parse(out) as { profile: string; scored: boolean }[];
    expect({ code, profiles: [...new Set(rows.map(({ profile }) => profile))] }).toEqual({
      code: 0,
      profiles: ['security'],
    });
    expect(rows).toContainEqual(expect.objectContaining({ id: 'errors.keeps-secrets', scored: true }));
    expect(await run('list', '--profile', 'quantum')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there are core, streaming'),
    });
  });

  it('explains one requirement', async () => {
    const { code, out } = await run('explain', 'execute.honours-timeout');
    expect(code).toBe(0);
    expect(out).toContain('EXECUTION_TIMEOUT');
    expect(out).toContain('fixture    conformance.sleep');
    expect(out).toMatch(/the case {3}Asks conformance\.sleep for longer than timeoutMs/);
    expect(out).toMatch(/to mend {4}Set a timer of timeoutMs/);
    expect(JSON.parse((await run('explain', 'execute.honours-timeout', '--json')).out)).toMatchObject({
      id: 'execute.honours-timeout',
      mend: expect.stringContaining('timer'),
    });
  });

  it('exits 2 for an id that it does not know', async () => {
    expect(await run('explain', 'no.such')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no.such'),
    });
  });
});

describe('contract-test run exits 2 and says what is wrong', () => {
  it.each([
    [[], 'name the runner'],
    [['--url', 'x', '--command', 'y'], 'exclude each other'],
    [['--control-plane', 'http://h', '--command', 'y'], 'exclude each other'],
    [['--control-plane', 'ftp://h'], '--control-plane takes the http or https URL'],
    [['--control-plane', 'http://h', '--delivery', 'push'], '--delivery is about a runner'],
    [['--command', 'true', '--delivery', 'post'], '--delivery takes push, websocket, long-poll or all'],
    [['--url', 'http://h', '--delivery', 'websocket'], '--delivery is for --command'],
    [['--command', 'true', '--token', 't'], '--token is for --control-plane'],
    [['--url', 'ftp://h'], 'http or https URL'],
    [['--image', 'runner', '--env', '1PASS=hunter2'], 'not "1PASS=…"'],
    [['--command', ' '], 'empty'],
    [['--command', 'true', '--control-plane-port', '1'], '--control-plane-port is for --url'],
    [['--command', 'true', '--timeout', '3000000000'], '--timeout takes a whole number'],
    [['--command', 'true', '--start-timeout', '3000000000'], '--start-timeout takes a whole number'],
    [['--url', 'http://h', '--control-plane-port', '70000'], '--control-plane-port takes a whole number'],
    [['--url', 'http://h/?a=b'], 'root of the runner'],
    [['--command', 'true', '--cwd', '/no/such/folder'], 'no folder "/no/such/folder"'],
    [['--command', 'true', '--timeout', 'soon'], '--timeout takes a whole number'],
    [['--command', 'true', '--profile', 'quantum'], 'there are core, streaming, cancellation'],
    [['--command', 'true', '--run', 'no.such'], 'no requirement is called no.such'],
    [['--command', 'true', '--run', 'health.*', '--profile', 'cancellation'], 'select no requirement'],
    [
      ['--command', 'true', '--report', 'pdf'],
      'text, json, ndjson, junit, sarif, markdown, html, badge, outputs',
    ],
    [['--command', 'true', '--known-failures', '/no/such/file'], '"/no/such/file" cannot be read'],
    [['--command', 'true', '--json', '--report', 'junit'], 'only one report'],
    [['--command', 'true', '--input', 'echo'], '--input takes CAPABILITY={…}'],
    [['--command', 'true', '--frobnicate'], 'unknown option'],
  ])('%j', async (flags, message) => {
    const { code, out, err } = await run('run', ...flags);
    expect(err).toContain(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });
});

/** A runner that knows health alone. */
async function serveHealth(): Promise<{ url: string; close: () => Promise<unknown> }> {
  const server = createServer((_request, response) => response.end('{"status":"healthy"}'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<unknown> => new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${port}`, close };
}

describe('contract-test run exits 2 and does not blame the kit', () => {
  it('when the port of the control plane is taken', async () => {
    const { url, close } = await serveHealth();
    const { code, err } = await run('run', '--url', url, '--control-plane-port', new URL(url).port);
    await close();
    expect(err).toContain('is taken');
    expect(code).toBe(2);
  });

  it('when a report cannot be written, and writes the others', async () => {
    const { url, close } = await serveHealth();
    const args = ['run', '--url', url, '--run', 'health.answers', '--report', 'junit=/dev/null/report.xml'];
    const { code, out, err } = await run(...args);
    await close();
    expect(out).toContain('1 passed');
    expect(err).toContain('/dev/null/report.xml');
    expect(code).toBe(2);
  });
});

describe('contract-test run exits 4 when the runner cannot be reached', () => {
  it('because the command ends, and shows what it wrote', async () => {
    const { code, out, err } = await run('run', '--command', 'echo "no such port" >&2; exit 5', '--json');
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toContain('ended (code 5)');
    expect(err).toContain('no such port');
  });

  it('because it answers nowhere in time', async () => {
    const { code, err } = await run('run', '--command', 'sleep 30', '--start-timeout', '300');
    expect(code).toBe(4);
    expect(err).toContain('did not answer');
  });

  it('because nothing listens at the URL', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect((await run('run', '--url', `http://127.0.0.1:${port}`, '--start-timeout', '500')).code).toBe(4);
  });
});

describe('contract-test run exits 3', () => {
  it('when the kit itself fails, and does not accuse the runner', async () => {
    const environment = new Proxy<Record<string, string>>(
      {},
      {
        ownKeys: () => {
          throw new TypeError('planted in the kit');
        },
      },
    );
    let err = '';
    const code = await main(['run', '--command', 'true'], {
      out: () => {},
      err: (text) => void (err += text),
      color: false,
      cwd: tmpdir(),
      environment,
    });
    expect(code).toBe(3);
    expect(err).toContain('fault of the kit, not of the runner');
  });
});
