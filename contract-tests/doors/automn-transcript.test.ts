import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { AUTOMN_LINES, AutomnRegistered, AutomnResult, AutomnRun } from '@controlplane/contracts/automn';
import { expect, onTestFinished, test } from 'vitest';
import { REGISTRATION, TRANSCRIPT } from '../hosts/automn/transcript.js';
import { openForge } from './opened.js';

// What Automn's own runner says at its Automn, said by it at JobForge.

const LANGUAGES: Readonly<Record<string, string>> = { node: 'node', python: 'python', shell: 'bash' };
/** Beyond the time limits of the recording. */
const DURATION_MS = '60000';

const filled = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll('"<number>"', DURATION_MS)
      .replaceAll('"<any>"', 'null')
      .replaceAll('<text>', 'linux'),
  );

/** Plays the runner: answers each job with what the recording has for it. */
async function play(): Promise<{ readonly endpoint: string; readonly posted: AutomnRun[] }> {
  const posted: AutomnRun[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const recorded = TRANSCRIPT[posted.length];
    posted.push(AutomnRun.parse(await json(request)));
    response.writeHead(200, { 'content-type': AUTOMN_LINES });
    response.write(`${JSON.stringify({ type: 'log', line: recorded?.log })}\n`);
    const data = AutomnResult.parse(filled(recorded?.result));
    response.end(JSON.stringify({ type: 'result', data }));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/run`, posted };
}

test('a recorded session is held message by message, and each job ends as its runner says', async () => {
  const opened = await openForge(['automn']);
  const { endpoint, posted } = await play();
  const registration = { ...(filled(REGISTRATION) as object), secret: await opened.token(), endpoint };
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ ...registration, maxConcurrency: 1 });
  const reply = await fetch(`${opened.url}/api/settings/runner-hosts/default/register`, {
    ...{ method: 'POST', headers, body },
  });
  expect(reply.status).toBe(200);
  expect(AutomnRegistered.parse(await reply.json()).registered).toBe(true);
  const ends = [];
  for (const { script, input } of TRANSCRIPT) {
    const job = await opened.forge.submit({
      capability: 'script.run',
      input: { language: LANGUAGES[script.language], code: script.code, input: input ?? {} },
      timeoutMs: (script.timeout ?? 30) * 1_000,
      retryPolicy: { maxRetries: 0 },
    });
    ends.push(await job.result());
  }
  expect(posted.map(({ script, reqBody }) => [script.language, reqBody])).toEqual(
    TRANSCRIPT.map(({ script, input }) => [script.language, input ?? {}]),
  );
  for (const [index, { script }] of posted.entries())
    expect(script.code).toContain(TRANSCRIPT[index]?.script.code);
  expect(ends).toMatchObject([
    { success: true, data: { data: { sum: 3 }, stdout: 'hello' } },
    {
      success: true,
      data: {
        data: [1],
        logs: [{ level: 'warn', message: 'careful' }],
        notifications: [{ level: 'error', message: 'look', audience: 'ops' }],
      },
    },
    { success: false, error: { code: 'COMMAND_FAILED' } },
    { success: false, error: { code: 'EXECUTION_TIMEOUT' } },
  ]);
});
