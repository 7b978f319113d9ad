import { describe, expect, it } from 'vitest';
import { REPORT_FORMATS, renderReport } from './formats.js';
import { createRedactor, redactReport } from './redact-report.js';
import type { ContractReport } from './report.js';
import { finding, report, result } from './sample-report.fixture.js';

describe('createRedactor', () => {
  it('takes out the values of variables that are secret by name, as they are and as JSON and URLs write them', () => {
    const redact = createRedactor([
      { DB_PASSWORD: 'tr"ou/badour', HOME: '/home/somebody', API_KEY: 'short' },
    ]);
    expect(redact('tr"ou/badour tr\\"ou/badour tr%22ou%2Fbadour /home/somebody short')).toBe(
      '[redacted] [redacted] [redacted] /home/somebody short',
    );
    expect(redact.count()).toBe(3);
  });

  it.each([
    ['authorization: Bearer abcdefghij.k', 'authorization: Bearer [redacted]'],
    ['postgres://me:hunter2@db/x', 'postgres://[redacted]@db/x'],
    ['{"user":"a","password":"hunter\\"2"}', '{"user":"a","password":[redacted]}'],
    ['RUNNER_TOKEN=abc python3 runner.py', 'RUNNER_TOKEN=[redacted] python3 runner.py'],
    [
      String.raw`--command 'PGPASSWORD='\''a b'\'' python3 runner.py'`,
      `--command 'PGPASSWORD=[redacted] python3 runner.py'`,
    ],
    [`-H 'x-api-key: abc' -H 'accept: a/b'`, `-H 'x-api-key: [redacted]' -H 'accept: a/b'`],
    ['eyJhbGciOiJI.eyJzdWIiOiIx.c2ln', '[redacted]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----', '[redacted]'],
  ])('takes out what looks like a secret: %s', (text, clean) => {
    expect(createRedactor([])(text)).toBe(clean);
  });

  it.each(['MYSQL_PWD', 'PGPASSWORD', 'GITHUB_PAT', 'SMTP_AUTH', 'DB_PASS'])(
    'knows %s for the name of a secret, also where a shell has quoted its value',
    (name) => {
      const redact = createRedactor([{ [name]: `it's a value` }]);
      expect(redact(`it's a value, 'it'\\''s a value'`)).toBe(`[redacted], '[redacted]'`);
      expect(createRedactor([])(`${name}=abc python3 runner.py`)).toBe(
        `${name}=[redacted] python3 runner.py`,
      );
    },
  );

  it('knows that folders and paths are no secrets', () => {
    const redact = createRedactor([{ PWD: '/home/somebody', OLDPWD: '/home/somebody' }]);
    expect(redact('/home/somebody GIT_PATH=abc')).toBe('/home/somebody GIT_PATH=abc');
  });

  it('leaves what is written about secrets alone', () => {
    const text = 'the value of CONFORMANCE_CANARY_SECRET in the reply to GET /health';
    expect(createRedactor([])(text)).toBe(text);
  });
});

describe('redactReport', () => {
  const secret = 'correct-horse-battery';
  const said = `x ${secret} y`;
  const dirty: ContractReport = {
    ...report,
    target: `--command 'run --with ${secret}'`,
    runner: {
      ...report.runner,
      ...{ name: said, version: said, capabilities: [said], features: [said] },
      skippedDeliveries: [{ delivery: 'websocket', reason: said }],
    },
    results: [
      result('a.failed', {
        status: 'failed',
        breaksConformance: true,
        finding: {
          sent: said,
          expected: said,
          actual: said,
          timeline: [{ afterMs: 1, text: said }],
          again: said,
          curl: said,
        },
        known: { state: 'expired', reason: said, expires: '2026-12-31' },
      }),
      result('a.fault', { status: 'error', reason: said }),
    ],
  };
  const clean = redactReport(
    { ...dirty, results: [...dirty.results] },
    createRedactor([{ MY_SECRET: secret }]),
  );

  it.each(REPORT_FORMATS)('leaves no secret in the %s report', (format) => {
    expect(renderReport(clean, format)).not.toContain(secret);
  });

  it('counts what it took out, and keeps what names things', () => {
    expect(clean.redactions).toBe(14);
    expect(clean.results.map(({ id, statement }) => [id, statement])).toEqual(
      dirty.results.map(({ id, statement }) => [id, statement]),
    );
    expect(redactReport(report, createRedactor([])).results[1]?.finding).toEqual(finding);
  });
});
