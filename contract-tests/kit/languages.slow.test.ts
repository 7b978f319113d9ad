import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderText, runContract } from '@controlplane/contract-test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { LANGUAGE_RUNNERS, missingPrograms, prepareRunner } from './language-runners.js';

const root = mkdtempSync(join(tmpdir(), 'language-runners-'));
afterAll(() => rmSync(root, { recursive: true }));

/** What a runner is judged by that has no SDK and declares no feature. */
const PROFILES = ['core', 'security', 'resilience'] as const;

describe.each(LANGUAGE_RUNNERS)('the runner in $language that follows the page', (runner) => {
  const missing = missingPrograms(runner);
  const why = `there is no ${missing.join(', no ')}`;
  // Where CI is set, a missing program fails the test instead of hiding it.
  const isRequired = missing.length === 0 || Boolean(process.env['CI']);
  if (!isRequired) console.warn(`SKIPPED: the runner in ${runner.language} is not judged here: ${why}.`);

  it.runIf(isRequired)('keeps core with all its fixtures', { timeout: 290_000 }, async () => {
    if (missing.length > 0) throw new Error(`${why}, and CI needs it`);
    const target = prepareRunner(runner, mkdtempSync(join(root, runner.language)));
    const report = await runContract(target, { profiles: PROFILES, timeoutMs: 60_000 });
    const told = report.results
      .filter(({ profile, status }) => profile === 'core' && status !== 'passed')
      .map(({ id }) => id);
    expect(told, renderText(report)).toEqual(runner.warnings);
    expect(report.conformant).toBe(true);
    expect(report.runner.capabilities).toEqual(
      expect.arrayContaining(['text.statistics', 'conformance.crash', 'conformance.big']),
    );
  });

  it.skipIf(isRequired)(`is NOT judged here: ${why}`, () => {});
});
