import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { CONTENT } from './recording-control-plane.js';
import { createHeld, post, requestOf, startRunner } from './runner-fixture.suite.js';

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const UNSIGNED = { status: 401, json: { error: { code: 'SIGNATURE_INVALID' } } };

let messages = 0;

/** What a control plane sends with a body. */
function signed(body: string): Record<string, string> {
  const id = `msg_${++messages}`;
  const at = new Date();
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(KEY).sign(id, at, body),
  };
}

/** A runner that was given a key, which runs one execution. */
async function startHeldRunner() {
  const held = createHeld();
  const { runner, url } = await startRunner({
    capabilities: [held.capability],
    fetch: async (...request) => {
      const response = await fetch(...request);
      if (!response.url.endsWith('/register')) return response;
      return Response.json({ ...(CONTENT.register().body as object), signingKey: KEY });
    },
  });
  await runner.ready();
  const request = JSON.stringify(requestOf('held', {}, { executionId: 'e1', leaseToken: 'lease-1' }));
  return { held, url, request, cancelUrl: `${url}/executions/e1/cancel` };
}

test('a runner that has a signing key runs and cancels nothing that is not signed', async () => {
  const { held, url, request, cancelUrl } = await startHeldRunner();
  expect(await post(`${url}/execute`, request)).toMatchObject(UNSIGNED);
  expect(held.calls).toEqual([]);
  const outcome = post(`${url}/execute`, request, signed(request));
  const { signal } = await held.started;
  const cancellation = JSON.stringify({ reason: 'user', leaseToken: 'lease-1' });
  expect(await post(cancelUrl, cancellation)).toMatchObject(UNSIGNED);
  expect(await post(cancelUrl, '{"reason":"deadline"}', signed(cancellation))).toMatchObject(UNSIGNED);
  expect(await post(cancelUrl, '')).toMatchObject(UNSIGNED);
  expect(signal.aborted).toBe(false);
  expect(await post(cancelUrl, cancellation, signed(cancellation))).toMatchObject({ status: 202 });
  expect((await outcome).json).toMatchObject({ error: { code: 'EXECUTION_CANCELLED' } });
});

test('a request to cancel without a body is signed as an empty one', async () => {
  const { held, url, request, cancelUrl } = await startHeldRunner();
  const outcome = post(`${url}/execute`, request, signed(request));
  await held.started;
  expect(await post(cancelUrl, '', signed(''))).toMatchObject({ status: 202 });
  await outcome;
});
