import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, serveApi } from './api-server.fixture.js';

afterEach(closeApis);

/** A comment, or a sample as the text format of Prometheus has it. */
const LINE =
  /^(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*")*\})? (NaN|[+-]?Inf|[-+0-9.e]+))$/;

describe('GET /metrics', () => {
  it('answers in the text format, each name told of once', async () => {
    const { url } = await serveApi();
    const reply = await fetch(`${url}/metrics`);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const body = await reply.text();
    expect(body.endsWith('\n')).toBe(true);
    const lines = body.split('\n').slice(0, -1);
    expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
    const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
    expect(new Set(types).size).toBe(types.length);
    expect(lines).toContain('jobforge_queue_depth{capability="echo"} 2');
    expect(body).toContain('process_resident_memory_bytes ');
  });

  it('counts requests by endpoint and status, whatever their paths were', async () => {
    const { url } = await serveApi();
    for (const id of ['a', 'b']) await fetch(`${url}/jobs/${id}`);
    await fetch(`${url}/jobs`);
    const body = await (await fetch(`${url}/metrics`)).text();
    expect(body).toContain('jobforge_http_requests_total{endpoint="showJob",status="404"} 2\n');
    expect(body).toContain('jobforge_http_requests_total{endpoint="listJobs",status="200"} 1\n');
    expect(body).toContain('jobforge_http_request_seconds_count{endpoint="showJob"} 2\n');
  });
});
