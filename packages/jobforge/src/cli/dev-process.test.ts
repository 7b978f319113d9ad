import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished, describe, expect, it } from 'vitest';
import { exitOf, jobforge, startServing, testFolder } from './jobforge-process.fixture.js';
import { ServingLine } from './json-output.js';

describe('jobforge as a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'keeps what was submitted across %s, which ends it with 0',
    async (signal) => {
      const data = await testFolder();
      const first = await startServing('dev', ['--data', data]);
      const submitted = await exitOf(
        jobforge(['job', 'submit', 'nobody.offers', '{"a":1}', '--id', 'kept', '--url', first.url]),
      );
      expect(submitted).toMatchObject({
        code: 0,
        out: expect.stringContaining('job kept  queued · no runner offers nobody.offers yet'),
      });
      first.child.kill(signal);
      expect((await exitOf(first.child)).code).toBe(0);
      const second = await startServing('dev', ['--data', data]);
      expect(await (await fetch(`${second.url}/jobs/kept`)).json()).toMatchObject({
        id: 'kept',
        status: 'queued',
      });
    },
  );

  it('says so when another one holds its store', async () => {
    const data = await testFolder();
    await startServing('dev', ['--data', data]);
    const second = await exitOf(jobforge(['dev', '--data', data, '--port', '0']));
    expect(second).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^✗ .*in use by another JobForge\.\n {2}Stop that one, or choose another data folder\.\n$/,
      ),
    });
  });

  it('says that the port is taken too when another one holds both', async () => {
    const data = await testFolder();
    const { url } = await startServing('dev', ['--data', data]);
    const { port } = new URL(url);
    const second = await exitOf(jobforge(['dev', '--data', data, '--port', port]));
    expect(second).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /in use by another JobForge\. Port \d+ on 127\.0\.0\.1 is taken: .*--port\.\n {2}Stop that one/,
      ),
    });
  });

  it('ends with 4 when there is nobody to ask', async () => {
    expect((await exitOf(jobforge(['job', 'list', '--url', 'http://127.0.0.1:1']))).code).toBe(4);
  });

  it('ends at once at the second signal, though a job still runs', async () => {
    // A runner that takes a job and never ends it.
    let took = (): void => undefined;
    const taken = new Promise<void>((resolve) => (took = resolve));
    const runner = createServer((request, response) => {
      if (request.url === '/health') response.end('{"status":"healthy"}');
      else took();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      runner.close().closeAllConnections();
    });
    await once(runner, 'listening');
    const dev = await startServing('dev', ['--memory']);
    const address = runner.address();
    const health = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/health`;
    const capability = {
      id: 'never',
      name: 'n',
      version: '1.0.0',
      description: 'd',
      inputSchema: {},
      outputSchema: {},
      supportedJobTypes: [],
    };
    const post = (path: string, body: unknown): Promise<Response> =>
      fetch(dev.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await post('/runners/register', {
      name: 'r',
      version: '1',
      contractVersion: '1.0.0',
      capabilities: [capability],
      healthCheckEndpoint: health,
    });
    await post('/jobs', { type: 'never', payload: { type: 'never', data: {} } });
    await taken;
    dev.child.kill('SIGTERM');
    while (ServingLine.parse(JSON.parse(String((await dev.lines.next()).value))).event !== 'stopping');
    dev.child.kill('SIGTERM');
    expect((await exitOf(dev.child)).code).toBe(1);
  });
});
