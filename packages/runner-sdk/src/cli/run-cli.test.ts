import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRunner } from '../lifecycle/runner.js';
import { greet, startRunner } from '../lifecycle/runner-fixture.suite.js';
import { runCli } from './run-cli.js';

async function run(args: string[], environment: Record<string, string> = {}) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCli(args, {
    environment,
    write: (line) => out.push(line),
    writeError: (line) => errors.push(line),
  });
  return { code, out: out.join('\n'), errors: errors.join('\n') };
}

async function serve(status: number, body: string, delayMs = 0): Promise<string> {
  const server = createServer((_request, response) => {
    setTimeout(() => response.writeHead(status).end(body), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('runner-sdk health', () => {
  test('of a healthy runner is 0', async () => {
    const { url } = await startRunner();
    expect(await run(['health', '--url', url])).toEqual({ code: 0, out: 'healthy', errors: '' });
    expect((await run(['health', '--port', new URL(url).port])).code).toBe(0);
    expect((await run(['health'], { PORT: new URL(url).port, HOST: '0.0.0.0' })).code).toBe(0);
    expect((await run(['health', '--live', '--url', `${url}/`])).code).toBe(0);
  });

  test('names the dependency that makes a runner unhealthy', async () => {
    const { url } = await startRunner({
      healthChecks: {
        database: () => {
          throw new Error('connection refused');
        },
      },
    });
    const { code, errors } = await run(['health', '--url', url]);
    expect(code).toBe(1);
    expect(errors).toBe('unhealthy; database is unhealthy: connection refused');
  });

  test('--ready says why no work arrives', async () => {
    const runner = createRunner({
      name: 'lonely',
      capabilities: [greet],
      port: 0,
      controlPlaneUrl: 'http://127.0.0.1:1',
      logger: false,
      handleSignals: false,
    });
    onTestFinished(() => runner.stop({ drainMs: 1 }));
    await runner.start();
    const { code, out } = await run(['health', '--ready', '--json', '--url', runner.url ?? '']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      status: 'not ok',
      reasons: [expect.stringContaining('not registered')],
      url: `${runner.url}/readyz`,
      ms: expect.any(Number),
    });
  });

  test('of a server that is no runner says so', async () => {
    const { code, errors } = await run(['health', '--url', await serve(404, '<html>')]);
    expect(code).toBe(1);
    expect(errors).toContain('answered with status 404; is it a runner?');
  });

  test('with nobody there is 4', async () => {
    const { code, errors } = await run(['health', '--url', 'http://127.0.0.1:1']);
    expect(code).toBe(4);
    expect(errors).toContain('nobody answers at http://127.0.0.1:1/health: connect ECONNREFUSED');
  });

  test('with no answer in time is 4', async () => {
    const url = await serve(200, '{}', 5_000);
    const { code, out } = await run(['health', '--timeout', '50', '--json', '--url', url]);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ status: 'unreachable', reasons: ['no answer within 50 ms'] });
  });
});

test.each([
  [[], 'usage: runner-sdk health'],
  [['helth'], 'no command "helth"'],
  [['health', '--por', '1'], "Unknown option '--por'"],
  [['health', '--port', '0'], '--port is "0"'],
  [['health', '--timeout', 'soon'], '--timeout is "soon"'],
  [['health', '--url', 'ftp://x'], '--url is "ftp://x"'],
  [['health', '--url', 'http://x', '--port', '1'], 'exclude each other'],
  [['health', '--ready', '--live'], 'exclude each other'],
])('%j is wrong usage', async (args, message) => {
  const { code, errors } = await run(args);
  expect(code).toBe(2);
  expect(errors).toContain(message);
});

test('--help explains the command', async () => {
  expect(await run(['health', '--help'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('exit code'),
  });
});
