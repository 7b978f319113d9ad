import { connect } from 'node:net';
import { ErrorEnvelope } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { post, requestOf, startRunner } from './runner-fixture.suite.js';

describe('a malformed request to execute', () => {
  test.each<[string, { body: unknown; headers?: Record<string, string> }, { status: number; code: string }]>([
    ['not JSON', { body: '{oops' }, { status: 400, code: 'INVALID_JSON' }],
    ['empty', { body: '' }, { status: 400, code: 'INVALID_JSON' }],
    ['an array', { body: [] }, { status: 400, code: 'VALIDATION_ERROR' }],
    ['null', { body: null }, { status: 400, code: 'VALIDATION_ERROR' }],
    ['without members', { body: {} }, { status: 400, code: 'VALIDATION_ERROR' }],
    [
      'with a wrong id',
      { body: requestOf('hello.greet', {}, { jobId: 'a b' }) },
      { status: 400, code: 'VALIDATION_ERROR' },
    ],
    [
      'with a negative limit',
      { body: requestOf('hello.greet', {}, { timeoutMs: -1 }) },
      { status: 400, code: 'VALIDATION_ERROR' },
    ],
    [
      'text',
      { body: 'hello', headers: { 'content-type': 'text/plain' } },
      { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' },
    ],
    [
      'compressed',
      { body: '{}', headers: { 'content-encoding': 'gzip' } },
      { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' },
    ],
    [
      'five megabytes',
      { body: JSON.stringify({ text: 'x'.repeat(5 * 1024 * 1024) }) },
      { status: 413, code: 'PAYLOAD_TOO_LARGE' },
    ],
  ])('(%s) is answered with an envelope', async (_what, { body, headers }, expected) => {
    const { url } = await startRunner();
    const { status, json } = await post(`${url}/execute`, body, headers);
    expect(status).toBe(expected.status);
    expect(json).toMatchObject({ success: false, error: { code: expected.code } });
    expect(ErrorEnvelope.safeParse(json?.['error']).success).toBe(true);
  });

  test('that is no HTTP is answered, too, and harms nobody', async () => {
    const { url } = await startRunner();
    const { port } = new URL(url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(
      ErrorEnvelope.safeParse((JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as { error: unknown }).error)
        .success,
    ).toBe(true);
    expect((await post(`${url}/execute`, requestOf('hello.greet', { name: 'Ada' }))).status).toBe(200);
  });

  test('whose sender leaves in the middle harms nobody', async () => {
    const { url } = await startRunner();
    const { port } = new URL(url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          'POST /execute HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"jobId"',
        );
        socket.destroy();
      });
      socket.on('close', () => resolve());
    });
    expect((await post(`${url}/execute`, requestOf('hello.greet', { name: 'Ada' }))).status).toBe(200);
  });
});
