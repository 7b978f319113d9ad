import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContractReport } from '../reporters/report.js';
import { main } from './main.js';

const folder = mkdtempSync(join(tmpdir(), 'contract-test-reports-'));
const path = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');

/** What the runner says of its health; a test changes it. */
let health = '{}';
let url = '';
let server: Server;

beforeAll(async () => {
  server = createServer((_request, response) => response.end(health));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    color: false,
    cwd: folder,
    environment: { MY_TOKEN: 'swordfish-swordfish' },
  });
  return { code, ...written };
}

const judge = (...args: string[]) => run('run', '--url', url, '--run', 'health.answers', ...args);

function knownFailures(expires: string, id = 'health.answers'): string {
  const entry = { id, reason: 'waits for 2.0', expires };
  writeFileSync(path('known.yaml'), JSON.stringify({ knownFailures: [entry] }));
  return path('known.yaml');
}

describe('contract-test run --report', () => {
  it('writes several reports in one run, without the secrets of its environment', async () => {
    health = '{"status":"swordfish-swordfish"}';
    const formats = ['text', 'ndjson', 'junit', 'sarif', 'markdown', 'html', 'badge', 'outputs'];
    const { code, out } = await judge(
      '--json',
      ...formats.flatMap((format) => ['--report', `${format}=${path(format)}`]),
    );
    expect(code).toBe(1);
    const report = ContractReport.parse(JSON.parse(out));
    expect(report.results[0]?.finding?.actual).toContain('[redacted]');
    expect(report.redactions).toBeGreaterThan(0);
    for (const format of formats) {
      expect(read(format)).toMatch(/\S/);
      expect(read(format)).not.toContain('swordfish');
    }
  });
});

describe('contract-test run --known-failures', () => {
  it('accepts a known failure, and says so: the run passes, the runner is not conformant', async () => {
    health = '{}';
    const { code, out } = await judge('--known-failures', knownFailures('9999-12-31'), '--json');
    expect(code).toBe(0);
    const report = ContractReport.parse(JSON.parse(out));
    expect(report).toMatchObject({ ok: true, conformant: false });
    expect(report.results[0]).toMatchObject({ status: 'failed', known: { state: 'accepted' } });
  });

  it('fails when it has expired', async () => {
    health = '{}';
    const { code, out } = await judge('--known-failures', knownFailures('2020-01-31'));
    expect(out).toContain('accepted until 2020-01-31 only');
    expect(code).toBe(1);
  });

  it('fails when its requirement is kept now', async () => {
    health = '{"status":"healthy","timestamp":"2026-01-31T12:00:00.000Z"}';
    const { code, out } = await judge('--known-failures', knownFailures('9999-12-31'));
    expect(out).toContain('take it off the list');
    expect(code).toBe(1);
  });

  it('exits 2 for a list that names no requirement', async () => {
    const { code, err } = await judge('--known-failures', knownFailures('9999-12-31', 'health.*'));
    expect(err).toContain('there is no requirement "health.*"');
    expect(code).toBe(2);
  });
});

describe('contract-test report and diff', () => {
  it('renders a report again as the run itself writes it', async () => {
    health = '{}';
    const reports = ['json', 'junit', 'sarif'].flatMap((format) => [
      '--report',
      `${format}=${path(`old.${format}`)}`,
    ]);
    await judge(...reports);
    for (const format of ['json', 'junit', 'sarif'])
      expect(await run('report', path('old.json'), '--as', format)).toEqual({
        code: 0,
        out: read(`old.${format}`),
        err: '',
      });
  });

  it('compares two: 0 when nothing fails that did not, 1 when something does', async () => {
    health = '{}';
    await judge('--report', `json=${path('broken.json')}`);
    health = '{"status":"healthy","timestamp":"2026-01-31T12:00:00.000Z"}';
    await judge('--report', `json=${path('kept.json')}`);
    expect(await run('diff', path('broken.json'), path('kept.json'))).toMatchObject({
      code: 0,
      out: 'mended: 1 requirement\n  health.answers\n',
    });
    const { code, out } = await run('diff', path('kept.json'), path('broken.json'), '--json');
    expect(JSON.parse(out)).toMatchObject({ newFailures: ['health.answers'], mended: [] });
    expect(code).toBe(1);
  });

  it('exits 2 for what is no report', async () => {
    writeFileSync(path('not.json'), '<testsuites/>');
    writeFileSync(path('other.json'), '{"schemaVersion":"9.0"}');
    for (const args of [['not.json'], ['other.json'], ['absent.json']]) {
      const { code, out, err } = await run('report', path(args[0] ?? ''));
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain(args[0]);
    }
    expect(await run('report', path('old.json'), '--as', 'pdf')).toMatchObject({ code: 2, out: '' });
  });
});
