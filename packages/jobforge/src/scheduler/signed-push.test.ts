import { Webhook } from 'standardwebhooks';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { JobForge } from '../control-plane.js';
import { envelopeOf, RunnerHeartbeat } from '@controlplane/contracts';
import { openForges } from '../testing/open-forge.js';
import { dialInRegistration } from '../testing/dial-in-runner.js';

const test = openForges();
const closing: (() => void)[] = [];
afterEach(async () => {
  await test.close();
  for (const close of closing.splice(0)) close();
});

interface Post {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A runner that checks nothing by itself and answers as the test says. */
async function listener(
  answer: (post: Post) => { status: number; body: object } | undefined,
): Promise<{ url: string; posts: Post[] }> {
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'GET') return void response.end('{"status":"healthy"}');
      const post = { url: request.url ?? '', headers: request.headers, body };
      posts.push(post);
      const reply = answer(post);
      if (reply === undefined) return;
      response
        .writeHead(reply.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posts };
}

async function register(
  forge: JobForge,
  url: string,
  features: string[],
): Promise<{ runnerId: string; key: string }> {
  const { runnerId, signingKey = '' } = await forge.operations.registerRunner(
    dialInRegistration({ delivery: undefined, healthCheckEndpoint: `${url}/health`, features }),
  );
  return { runnerId, key: signingKey };
}

const verify = (key: string, { headers, body }: Post): unknown =>
  new Webhook(key).verify(body, headers as Record<string, string>);
const echo = { capability: 'echo', input: { text: 'hi' } };

it('a runner with the feature `signed` gets a key, and what is pushed to it is signed with it', async () => {
  const forge = await test.forge();
  const { url, posts } = await listener(() => ({ status: 200, body: { success: true, data: 1 } }));
  const { key } = await register(forge, url, ['signed']);
  expect(await (await forge.submit(echo)).result()).toMatchObject({ success: true });
  expect(posts).toHaveLength(1);
  for (const post of posts) expect(verify(key, post)).toBeTruthy();
  const second = await register(forge, url, ['signed']);
  expect(second.key).not.toBe(key);
  await (await forge.submit(echo)).result();
  // What is on its way while the key changes is good by either.
  expect(posts[1] && [verify(key, posts[1]), verify(second.key, posts[1])]).toEqual([
    expect.anything(),
    expect.anything(),
  ]);
});

it('a cancellation is signed too', async () => {
  const forge = await test.forge();
  // Takes the execution and never ends it.
  const { url, posts } = await listener(({ url: path }) =>
    path.endsWith('/cancel') ? { status: 202, body: {} } : undefined,
  );
  const { key } = await register(forge, url, ['signed', 'cancel']);
  const job = await forge.submit(echo);
  await expect.poll(async () => (await job.show()).status).toBe('running');
  await job.cancel();
  await expect.poll(() => posts.length).toBe(2);
  expect(posts[1] && verify(key, posts[1])).toMatchObject({ reason: 'user' });
});

it('a runner without the feature is sent no signature', async () => {
  const forge = await test.forge();
  const { url, posts } = await listener(() => ({ status: 200, body: { success: true, data: 1 } }));
  const { key } = await register(forge, url, []);
  await (await forge.submit(echo)).result();
  expect(key).toBe('');
  expect(posts[0]?.headers['webhook-signature']).toBeUndefined();
});

it('a runner that refuses the signature costs the job nothing, and is told to register', async () => {
  const forge = await test.forge();
  let good = false;
  const { url } = await listener(() =>
    good
      ? { status: 200, body: { success: true, data: 1 } }
      : {
          status: 401,
          body: { success: false, error: envelopeOf('SIGNATURE_INVALID', { service: 'stub' }) },
        },
  );
  const { runnerId } = await register(forge, url, ['signed']);
  const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
  const beat = RunnerHeartbeat.parse({ runnerId, timestamp: new Date().toISOString(), status: 'healthy' });
  await expect
    .poll(async () => (await forge.operations.heartbeat(beat)).directives)
    .toContainEqual({ kind: 'register' });
  await expect
    .poll(async () => (await job.show()).waitingFor)
    .toContain('refuses the signature of what it is sent; it has to register anew');
  good = true;
  await register(forge, url, ['signed']);
  expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  expect((await forge.operations.heartbeat(beat)).directives).toEqual([]);
});
