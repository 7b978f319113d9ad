import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { curlOf, shellQuote } from './curl.js';
import { renderJson } from './json-reporter.js';
import { renderMarkdown } from './markdown-reporter.js';
import { reportEvents } from './ndjson-reporter.js';
import { ContractReport } from './report.js';
import { finding, report, result } from './sample-report.fixture.js';
import { renderText } from './text-reporter.js';

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

  it('says what is not scored yet, and counts it', () => {
    const later = result('health.later', { status: 'failed', scored: false, finding });
    const shown = renderText({ ...report, results: [later] });
    expect(shown).toMatch(/✗ health\.later .* not scored yet\n/);
    expect(shown).toContain('1 of them not scored');
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

  it('says of a known failure until when and why, and counts it', () => {
    const known = { state: 'accepted', reason: 'waits for 2.0', expires: '2026-12-31' } as const;
    const failed = result('health.failed', { status: 'failed', breaksConformance: true, finding, known });
    const shown = renderText({
      ...report,
      ok: true,
      results: [failed],
      summary: { ...report.summary, error: 0 },
    });
    expect(shown).toContain('known failure, accepted until 2026-12-31: waits for 2.0');
    expect(shown).toContain('1 of them known');
    expect(shown).toContain('not conformant: core; known failures alone, accepted');
  });

  it('says over which deliveries the runner was not judged, and why', () => {
    const skippedDeliveries = [{ delivery: 'long-poll', reason: 'it ended:\n  no such delivery' } as const];
    const skipped = { ...report, runner: { ...report.runner, skippedDeliveries } };
    expect(renderText(skipped)).toContain('not judged over long-poll: it ended: ⏎ no such delivery\n');
    expect(renderMarkdown(skipped)).toContain('not judged over long-poll: it ended: ⏎ no such delivery\n');
    expect(JSON.parse(renderJson(skipped))).toMatchObject({ runner: { skippedDeliveries } });
    expect(reportEvents(skipped)[0]).toMatchObject({ event: 'run-started', runner: { skippedDeliveries } });
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
