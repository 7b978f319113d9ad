import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { renderReport } from './formats.js';
import { ReportEvent } from './ndjson-reporter.js';
import { finding, report, result } from './sample-report.fixture.js';

describe('the NDJSON report', () => {
  const lines = renderReport(report, 'ndjson').trimEnd().split('\n');

  it('is one event a line that its schema knows: the start, each requirement, the end', () => {
    const events = lines.map((line) => ReportEvent.parse(JSON.parse(line)).event);
    expect(events).toEqual(['run-started', ...report.results.map(() => 'requirement-judged'), 'run-ended']);
  });

  it('carries all of the report', () => {
    const members = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const [start, ...rest] = members;
    const end = rest.pop();
    const results = rest.map(({ event: _event, ...more }) => more);
    const { event: _event, ...whole } = { ...start, ...end, results } as Record<string, unknown>;
    expect(whole).toEqual(report);
  });

  it('has a published JSON Schema that is up to date', () => {
    const file = new URL('../../schemas/contract-report-event.1.json', import.meta.url);
    const published: unknown = JSON.parse(readFileSync(file, 'utf8'));
    expect(published).toEqual({ ...z.toJSONSchema(ReportEvent), title: 'ReportEvent' });
  });
});

describe('the Markdown report', () => {
  it('leads with the verdict, what fails first, and says nothing of what is kept', () => {
    const text = renderReport(report, 'markdown');
    expect(text).toMatch(/^### ❌ Contract 1\.0: the kit failed in 1 case/);
    expect(text.indexOf('health.fault')).toBeLessThan(text.indexOf('health.warned'));
    expect(text).not.toContain('health.passed');
  });

  it('lets no text of the runner out of its block: no fence, no markup, no mention', () => {
    const hostile = '```\n</details><img src=x> @everyone';
    const failed = result('a.b', {
      status: 'failed',
      breaksConformance: true,
      finding: { ...finding, actual: hostile },
    });
    const runner = { ...report.runner, name: '@everyone <b>**' };
    const text = renderReport({ ...report, runner, results: [failed] }, 'markdown');
    expect(text).toMatch(/^````text$/m);
    expect(text).toContain('runner &#64;everyone &lt;b&gt;&#42;&#42;');
  });

  it('stays short enough for a comment and says what was left out', () => {
    const long = { ...finding, curl: 'x'.repeat(4_000) };
    const results = Array.from({ length: 40 }, (_, index) =>
      result(`a.b${index}`, { status: 'failed', breaksConformance: true, finding: long }),
    );
    const text = renderReport({ ...report, results }, 'markdown');
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/… and \d+ more/);
  });
});

describe('the HTML report', () => {
  const hostile = '<script>alert(1)</script>"><img onerror=x>';
  const failed = result('a.b', {
    status: 'failed',
    breaksConformance: true,
    finding: { ...finding, actual: hostile },
  });
  const text = renderReport({ ...report, target: hostile, results: [failed] }, 'html');

  it('is one file that loads nothing and runs nothing', () => {
    expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(text).not.toMatch(/<(?:script|img|link|iframe|object)|\ssrc=|\shref=/i);
  });

  it('opens what fails and shows every requirement', () => {
    expect(text).toContain('<details open id="a.b">');
    for (const { id } of report.results) expect(renderReport(report, 'html')).toContain(`id="${id}"`);
  });
});

describe('the badge', () => {
  const summary = { ...report.summary, error: 0 };
  const core = { profile: 'core', claimed: true, conformant: true } as const;
  it.each([
    [{}, 'kit fault', 'lightgrey'],
    [{ summary }, 'not conformant', 'red'],
    [{ summary, ok: true }, 'known failures', 'yellow'],
    [{ summary, ok: true, conformant: true, profiles: [core] }, 'core', 'brightgreen'],
    [{ summary, conformant: true, profiles: [core] }, 'stale known failures', 'yellow'],
    [{ summary, profiles: [] }, 'not judged', 'lightgrey'],
  ])('%# says %j', (more, message, color) => {
    expect(JSON.parse(renderReport({ ...report, ...more }, 'badge'))).toEqual({
      schemaVersion: 1,
      label: 'contract 1.0',
      message,
      color,
    });
  });
});
