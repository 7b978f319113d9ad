import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubRunner } from '../testing/stub-runner.js';

const test = openForges();
afterEach(test.close);

/** A proxy whose runner is away for the first requests. */
async function proxyTo(runner: StubRunner, refusals: number, status: number): Promise<string> {
  let seen = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (seen++ < refusals)
        return void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Bad Gateway');
      const init = { method: request.method ?? 'GET', body: Buffer.concat(chunks) };
      const { body, ...bare } = init;
      void fetch(runner.url + request.url, body.length > 0 ? init : bare).then(async (reply) => {
        const type = reply.headers.get('content-type') ?? 'text/plain';
        response.writeHead(reply.status, { 'content-type': type }).end(await reply.text());
      });
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close().closeAllConnections();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each([502, 503, 504])('a proxy that answers %i in the place of a runner', (status) => {
  it.each(['json', 'ndjson', 'batch'] as const)(
    'does not fail the job for good, in the %s form',
    async (form) => {
      const forge = await test.forge({ limits: { offerMs: 100 } });
      const runner = await test.runner({
        form,
        handle(execution) {
          execution.accept();
          execution.succeed(1);
        },
      });
      const url = await proxyTo(runner, 2, status);
      await forge.operations.registerRunner(
        runner.registration({
          healthCheckEndpoint: `${url}/health`,
          capabilities: [{ ...ECHO, effects: 'idempotent' }],
        }),
      );
      const job = await forge.submit({
        capability: 'echo',
        input: { text: 'hi' },
        retryPolicy: { maxRetries: 1 },
      });
      expect(await job.result()).toMatchObject({ success: true });
    },
  );
});
