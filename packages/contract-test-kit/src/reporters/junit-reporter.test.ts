import { describe, expect, it } from 'vitest';
import { renderJunit } from './junit-reporter.js';
import { report, result } from './sample-report.fixture.js';
import { parseXml, type XmlElement } from './xml-document.fixture.js';

/** What the JUnit schema of Jenkins' xUnit plugin allows of the elements that are used here. */
const JUNIT: Readonly<
  Record<
    string,
    { required: readonly string[]; optional: readonly string[]; children: readonly string[]; text?: true }
  >
> = {
  testsuites: {
    required: [],
    optional: ['name', 'time', 'tests', 'failures', 'disabled', 'errors'],
    children: ['testsuite'],
  },
  testsuite: {
    required: ['name', 'tests'],
    optional: ['failures', 'errors', 'time', 'disabled', 'skipped', 'timestamp', 'hostname', 'id', 'package'],
    children: ['testcase'],
  },
  testcase: {
    required: ['name', 'classname'],
    optional: ['time', 'assertions', 'status'],
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'],
  },
  skipped: { required: [], optional: ['message', 'type'], children: [], text: true },
  error: { required: [], optional: ['message', 'type'], children: [], text: true },
  failure: { required: [], optional: ['message', 'type'], children: [], text: true },
  'system-out': { required: [], optional: [], children: [], text: true },
};

const INTEGERS = new Set(['tests', 'failures', 'errors', 'skipped', 'disabled']);

function faultsOf({ name, attributes, children, text }: XmlElement): string[] {
  const rule = JUNIT[name];
  if (!rule) return [`element ${name}`];
  const faults = rule.required
    .filter((wanted) => !(wanted in attributes))
    .map((wanted) => `${name}: no ${wanted}`);
  for (const [key, value] of Object.entries(attributes)) {
    if (![...rule.required, ...rule.optional].includes(key)) faults.push(`${name}: attribute ${key}`);
    if (INTEGERS.has(key) && !/^\d+$/.test(value)) faults.push(`${name}: ${key} ${value}`);
    if (key === 'time' && !/^\d+\.\d+$/.test(value)) faults.push(`${name}: time ${value}`);
  }
  if (!rule.text && text.trim() !== '') faults.push(`${name}: text`);
  for (const child of children) {
    if (!rule.children.includes(child.name)) faults.push(`${name}: child ${child.name}`);
    faults.push(...faultsOf(child));
  }
  return faults;
}

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

  it('is valid by the schema that CI systems read it with', () => {
    const root = parseXml(xml);
    expect(root.name).toBe('testsuites');
    expect(faultsOf(root)).toEqual([]);
  });

  it('gives back the text of a finding, line by line', () => {
    const [suite] = parseXml(xml).children;
    const failed = suite?.children.find(({ attributes }) => attributes['name'] === 'health.failed');
    expect(failed?.children[0]?.text.split('\n')[2]).toBe('expected   status <healthy> & "known"');
  });

  it('skips a known failure, and fails one that expired or is kept now', () => {
    const known = (state: 'accepted' | 'expired' | 'stale') => ({
      state,
      reason: 'why',
      expires: '2026-12-31',
    });
    const shown = renderJunit({
      ...report,
      results: [
        result('a.accepted', { status: 'failed', breaksConformance: true, known: known('accepted') }),
        result('a.expired', { status: 'failed', breaksConformance: true, known: known('expired') }),
        result('a.stale', { known: known('stale') }),
      ],
    });
    const kinds = parseXml(shown).children[0]?.children.map(({ children }) => [
      children[0]?.name,
      children[0]?.attributes['type'],
    ]);
    expect(kinds).toEqual([
      ['skipped', undefined],
      ['failure', 'MUST'],
      ['failure', 'stale-known-failure'],
    ]);
    expect(faultsOf(parseXml(shown))).toEqual([]);
  });
});
