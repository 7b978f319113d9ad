import { connect } from 'node:net';
import { ENDPOINTS, httpStatusOf, type Endpoint } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closeApis,
  json,
  rawBytes,
  rawRequest,
  Refusal,
  serveApi,
  submission,
} from './api-server.fixture.js';

afterEach(closeApis);

const rows = Object.entries(ENDPOINTS as Record<string, Endpoint>).filter(
  // A file may be anything: what is wrong with one is tested with the artifacts.
  ([name, { server }]) =>
    server === 'jobforge' && name !== 'putArtifact' && name !== 'putFile' && name !== 'putResult',
);

interface Malformation {
  readonly what: string;
  /** Undefined where the malformation cannot be had at this endpoint. */
  readonly send: (
    endpoint: Endpoint,
  ) => { path?: string; method?: string; headers?: Record<string, string>; body?: string } | undefined;
  /** The codes that it may be answered with. */
  readonly codes: readonly string[];
}

const JSON_TYPE = { 'content-type': 'application/json' };
const withBody =
  (body: string, headers: Record<string, string> = JSON_TYPE): Malformation['send'] =>
  () => ({ body, headers });
const inPath =
  (id: string): Malformation['send'] =>
  ({ path }) =>
    path.includes(':id') ? { path: path.replace(':id', id) } : undefined;
const ifReads =
  (send: Malformation['send']): Malformation['send'] =>
  (endpoint) =>
    endpoint.request ? send(endpoint) : undefined;
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const NOT_FOUND = [
  'JOB_NOT_FOUND',
  'RUNNER_NOT_FOUND',
  'EXECUTION_NOT_FOUND',
  'TOKEN_NOT_FOUND',
  'SECRET_NOT_FOUND',
  'WEBHOOK_NOT_FOUND',
  'ARTIFACT_NOT_FOUND',
  'FILE_NOT_FOUND',
];

const MALFORMATIONS: readonly Malformation[] = [
  { what: 'text that is not JSON', send: withBody('{"type": oops'), codes: ['INVALID_JSON'] },
  { what: 'control characters', send: withBody('\u0000\u0001'), codes: ['INVALID_JSON'] },
  {
    what: 'a body of another type',
    send: withBody('{}', { 'content-type': 'text/plain' }),
    codes: ['UNSUPPORTED_MEDIA_TYPE'],
  },
  { what: 'a body of no type', send: withBody('{}', {}), codes: ['UNSUPPORTED_MEDIA_TYPE'] },
  {
    what: 'a compressed body',
    send: withBody('{}', { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    codes: ['UNSUPPORTED_MEDIA_TYPE'],
  },
  {
    what: 'a body of 5 MB',
    send: withBody(`"${'x'.repeat(5 * 1024 * 1024)}"`),
    codes: ['PAYLOAD_TOO_LARGE'],
  },
  {
    what: 'a body of 5 MB in chunks',
    send: withBody(`"${'x'.repeat(5 * 1024 * 1024)}"`, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }),
    codes: ['PAYLOAD_TOO_LARGE'],
  },
  { what: '100,000 levels of nesting', send: withBody(deep(100_000)), codes: ['VALIDATION_ERROR'] },
  { what: 'a list in the place of an object', send: ifReads(withBody('[]')), codes: ['VALIDATION_ERROR'] },
  { what: 'null', send: ifReads(withBody('null')), codes: ['VALIDATION_ERROR'] },
  { what: 'a number', send: ifReads(withBody('17')), codes: ['VALIDATION_ERROR'] },
  {
    what: 'wrong types throughout',
    send: ifReads(
      withBody(
        '{"id":7,"type":7,"payload":7,"jobs":7,"name":7,"runnerId":7,"instanceId":7,"leaseToken":7,"reason":7,"overlapMs":"7"}',
      ),
    ),
    codes: ['VALIDATION_ERROR'],
  },
  { what: 'a wrong method', send: () => ({ method: 'PATCH' }), codes: ['METHOD_NOT_ALLOWED'] },
  // Where a body is required, its absence may be told first.
  { what: 'an id that nobody has', send: inPath('no-such-id'), codes: [...NOT_FOUND, 'INVALID_JSON'] },
  { what: 'an id with a NUL byte', send: inPath('a%00b'), codes: NOT_FOUND },
  { what: 'an id that climbs', send: inPath('..%2f..%2fetc'), codes: NOT_FOUND },
  { what: 'an id of 4 KB', send: inPath('x'.repeat(4096)), codes: NOT_FOUND },
  { what: 'a broken percent-encoding', send: inPath('%E0%A4%A'), codes: ['VALIDATION_ERROR'] },
  {
    what: 'a host of somebody else',
    send: () => ({ headers: { host: 'evil.example' } }),
    codes: ['HOST_NOT_ALLOWED'],
  },
];

describe.each(rows)('%s', (_name, endpoint) => {
  const cases = MALFORMATIONS.flatMap(({ what, send, codes }) => {
    const request = send(endpoint);
    return request
      ? [
          [
            what,
            {
              method: endpoint.method,
              path: endpoint.path.replace(':id', 'no-such-id').replace(':name', 'no-such-name'),
              ...request,
            },
            codes,
          ] as const,
        ]
      : [];
  });

  it.each(cases)('answers %s with an envelope and goes on', async (_what, request, codes) => {
    const { port, url } = await serveApi();
    const reply = await rawRequest(port, request);
    const { error } = Refusal.parse(JSON.parse(reply.body));
    expect(codes).toContain(error.code);
    expect(reply.status).toBe(httpStatusOf(error.code));
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    if (reply.status === 405) expect(reply.headers.allow?.split(', ')).toContain(endpoint.method);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });
});

describe('a body that does not match', () => {
  it('is refused with the path of each wrong place', async () => {
    const { url } = await serveApi();
    const reply = await fetch(
      `${url}/jobs/batch`,
      json({ jobs: [submission(), submission({ priority: 500, payload: { type: 'x' } })] }),
    );
    const { error } = Refusal.parse(await reply.json());
    expect(error.details.map(({ path }) => path?.join('.'))).toEqual([
      'jobs.1.priority',
      'jobs.1.payload.data',
    ]);
    expect(error.message).toContain('POST /jobs/batch');
    expect(error.message).toContain('jobs.1.priority');
  });

  it('is refused where it is a query', async () => {
    const { url } = await serveApi();
    const reply = await fetch(`${url}/jobs?limit=-1&status=done`);
    expect(reply.status).toBe(400);
    expect(Refusal.parse(await reply.json()).error.details).toHaveLength(2);
  });

  it('is not stored', async () => {
    const { url } = await serveApi();
    await fetch(`${url}/jobs/batch`, json({ jobs: [submission(), {}] }));
    expect(await (await fetch(`${url}/jobs`)).json()).toEqual({ items: [] });
  });
});

describe('what looks dangerous and is not', () => {
  it('keeps __proto__ and constructor from reaching any prototype', async () => {
    const { url } = await serveApi();
    const body =
      '{"id":"p","type":"t","__proto__":{"polluted":1},"payload":{"type":"t","data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}}';
    const reply = await fetch(`${url}/jobs`, { method: 'POST', headers: JSON_TYPE, body });
    expect(reply.status).toBe(202);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('accepts nesting up to the limit and brackets in text beyond it', async () => {
    const { url } = await serveApi();
    const data = { deep: JSON.parse(deep(190)) as unknown, text: '[{"'.repeat(1000) };
    expect((await fetch(`${url}/jobs`, json(submission({ payload: { type: 't', data } })))).status).toBe(202);
  });

  it('accepts application/json with a charset, and types that end in +json', async () => {
    const { url } = await serveApi();
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.jobs+json']) {
      const reply = await fetch(`${url}/jobs`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: JSON.stringify(submission()),
      });
      expect(reply.status).toBe(202);
    }
  });

  it('leaves a sender that hangs up in the middle of its body unanswered', async () => {
    const { port, url } = await serveApi();
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          'POST /jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
          () => socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
    });
    expect(await (await fetch(`${url}/jobs`)).json()).toEqual({ items: [] });
  });

  it('reads a refused upload to its end, so that a sender who listens only then hears the answer', async () => {
    const { port } = await serveApi();
    const size = 30 * 1024 * 1024;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').pause().on('error', reject);
      socket.write(
        `POST /jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`,
      );
      socket.write(Buffer.alloc(size, 'x'), () => socket.resume());
      socket.once('data', (chunk) => resolve(chunk.toString()));
    });
    expect(answer).toMatch(/^HTTP\/1.1 413 [^]*PAYLOAD_TOO_LARGE/);
  });

  it('refuses a body that says it is too large before it is sent', async () => {
    const { port } = await serveApi();
    const answer = await rawBytes(
      port,
      'POST /jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).not.toContain('100 Continue');
  });
});
