import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { curlOf, shellQuote } from './curl.js';
import { renderJson } from './json-reporter.js';
import { renderJunit } from './junit-reporter.js';
import { ContractReport, type RequirementResult } from './report.js';
import { renderText } from './text-reporter.js';

const result = (id: string, more: Partial<RequirementResult>): RequirementResult => ({
  id,
  level: 'MUST',
  profile: 'core',
  section: '§4',
  statement: 'Health answers.',
  status: 'passed',
  durationMs: 12.3,
  breaksConformance: false,
  ...more,
});

const finding = {
  sent: 'GET /health',
  expected: 'status <healthy> & "known"',
  actual: `a \u0000 control, a half \ud800 surrogate, ]]> and 'quotes'`,
  again: 'npx contract-test run --url http://127.0.0.1:1 --run health.answers --seed 7',
  curl: 'curl -sS http://127.0.0.1:1/health',
};

const report: ContractReport = {
  schemaVersion: '1.0',
  contract: '1.0',
  target: '--url http://127.0.0.1:1',
  seed: 7,
  strict: false,
  startedAt: '2026-01-31T12:00:00.000Z',
  durationMs: 1234,
  runner: { name: 'r', version: '1.0.0', capabilities: ['a'], features: [], source: 'manifest' },
  conformant: false,
  profiles: [{ profile: 'core', claimed: true, conformant: false }],
  summary: { passed: 1, failed: 1, warned: 1, notApplicable: 1, notEvaluable: 2, error: 1 },
  results: [
    result('health.passed', {}),
    result('health.failed', { status: 'failed', breaksConformance: true, finding }),
    result('health.warned', { level: 'SHOULD', status: 'warned', finding }),
    result('health.left-out', { status: 'not-applicable', reason: 'needs --command' }),
    result('health.missing', {
      status: 'not-evaluable',
      breaksConformance: true,
      reason: 'no conformance.sleep',
    }),
    result('health.optional', { status: 'not-evaluable', reason: 'no fixtures' }),
    result('health.fault', { status: 'error', reason: 'TypeError: x' }),
  ],
};

describe('the text report', () => {
  const text = renderText(report);

  it('shows a failure as statement, sent, expected, actual, again and curl', () => {
    const rows = text.slice(text.indexOf('✗ health.failed')).split('\n').slice(1, 7);
    expect(rows.map((row) => row.trim().split(/\s{2,}/)[0])).toEqual([
      'statement',
      'sent',
      'expected',
      'actual',
      'again',
      'curl',
    ]);
  });

  it('groups what does not concern the runner by its reason', () => {
    expect(text).toContain('1 requirement not applicable: needs --command\n      health.left-out');
    expect(text).toContain('1 requirement not judged: no fixtures');
  });

  it('never calls it a pass when the kit failed', () => {
    expect(text).toContain('the kit failed in 1 case');
  });

  it('shows no control character of the runner: no escape, no line of its own', () => {
    const hostile = 'a\u001b[2J\r\n::error::b\u009b\u202e\u2028c';
    const failed = result('health.failed', { status: 'failed', finding: { ...finding, actual: hostile } });
    const fault = result('health.fault', { status: 'error', reason: hostile });
    const shown = renderText({
      ...report,
      runner: { ...report.runner, name: hostile, version: hostile, features: [hostile] },
      results: [failed, fault],
    });
    expect(shown).not.toMatch(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(shown).not.toMatch(/^\s*::/m);
  });

  it('has no colour unless asked for', () => {
    expect(text).not.toContain('\u001b');
    expect(renderText(report, { color: true })).toContain('\u001b[31m✗');
  });
});

describe('the JSON report', () => {
  it('is what its schema says', () => {
    expect(ContractReport.parse(JSON.parse(renderJson(report)))).toEqual(JSON.parse(renderJson(report)));
  });

  it('has a published JSON Schema that is up to date', () => {
    const published: unknown = JSON.parse(
      readFileSync(new URL('../../schemas/contract-report.1.json', import.meta.url), 'utf8'),
    );
    expect(published).toEqual({ ...z.toJSONSchema(ContractReport), title: 'ContractReport' });
  });
});

describe('the JUnit report', () => {
  const xml = renderJunit(report);

  it('counts failures, errors and skipped as CI systems read them', () => {
    expect(xml).toContain('tests="7" failures="2" errors="1" skipped="2"');
    expect(xml.match(/<failure /g)).toHaveLength(2);
    expect(xml.match(/<skipped /g)).toHaveLength(2);
  });

  it('escapes everything that XML does not allow', () => {
    expect(xml).toContain('status &lt;healthy&gt; &amp; &quot;known&quot;');
    expect(Array.from(xml).filter((character) => character < ' ' && character !== '\n')).toEqual([]);
    // Half a surrogate does not survive UTF-8.
    expect(Buffer.from(xml, 'utf8').toString('utf8')).toBe(xml);
    expect(xml.replaceAll(/&(amp|lt|gt|quot|#10);/g, '')).not.toContain('&');
  });
});

describe('curlOf', () => {
  it('quotes for a shell', () => {
    expect(shellQuote(`it's`)).toBe(`'it'\\''s'`);
    expect(
      curlOf({
        method: 'POST',
        url: 'http://h/execute',
        headers: { accept: 'application/json' },
        body: `{"a":"it's"}`,
      }),
    ).toBe(
      `curl -sS -X POST http://h/execute -H 'accept: application/json' --data-binary '{"a":"it'\\''s"}'`,
    );
  });

  it('gives no command for a body of megabytes', () => {
    expect(curlOf({ method: 'POST', url: 'http://h/', body: 'x'.repeat(1_000_000) })).toBeUndefined();
  });
});
