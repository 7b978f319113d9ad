import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runContract } from './run-contract.js';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** What a control plane answers that takes all and does nothing; undefined holds the request for ever. */
function answerTo(path: string): object | undefined {
  if (path === '/runners/register') return { runnerId: 'r1' };
  if (path === '/jobs') return { id: 'j1' };
  if (path === '/jobs/batch') return { jobs: [{ id: 'j1' }, { error: {} }, { id: 'j2' }] };
  return path.endsWith('/poll') ? undefined : {};
}

/** Starts one; `asked` says what of it was asked, in order. */
async function idlePlane(): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const started = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answerTo(path);
    if (answer) response.writeHead(path === '/jobs' ? 202 : 200).end(JSON.stringify(answer));
  });
  server = started;
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, asked };
}

describe('a case about a control plane', { timeout: 30_000 }, () => {
  it('leaves no job and no runner behind when its time is up', async () => {
    const { url, asked } = await idlePlane();
    const run = ['control-plane.waits-for-a-runner'];
    const { results } = await runContract({ kind: 'control-plane', url }, { run, timeoutMs: 1_500 });
    expect(results).toMatchObject([{ status: 'failed' }]);
    expect(asked).toContain('/runners/r1/poll');
    expect(asked).toEqual(expect.arrayContaining(['/jobs/j1/cancel', '/runners/r1/deregister']));
  });

  it('cancels the jobs of a batch too', async () => {
    const { url, asked } = await idlePlane();
    await runContract({ kind: 'control-plane', url }, { run: ['control-plane.takes-batches'] });
    expect(asked).toEqual(expect.arrayContaining(['/jobs/j1/cancel', '/jobs/j2/cancel']));
    expect(asked.at(-1)).toBe('/runners/r1/deregister');
  });
});
