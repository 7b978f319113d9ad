import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './report.mjs';

// Sums up what `.ci/run` ran: one line at the end, and a non-zero exit when anything failed or left no report.

const read = (name) => {
  const file = join(cacheDir, name);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
};

/** A test file that does not even load counts as one failure: it has no tests to count. */
function countTests(report) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function countChecks(results) {
  if (!results) return { passed: 0, failed: 1, skipped: 0 };
  const passed = results.filter((result) => result.ok).length;
  return { passed, failed: results.length - passed, skipped: 0 };
}

const counts = [
  countTests(read('tests.json')),
  countTests(read('tests-slow.json')),
  countChecks(read('check.json')),
];
const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
const skipped = sum('skipped');
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
