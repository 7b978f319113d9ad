import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cacheDir, root } from './report.mjs';

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

const firstLine = (text = '') => text.split('\n', 1)[0];

/** One line for each failure, so that the end of a long log names them all. */
function failedTests(report, command) {
  if (!report) return [`npm run ${command}: left no report`];
  return report.testResults.flatMap((file) => {
    const name = relative(root, file.name);
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    if (file.status === 'failed' && failed.length === 0) return [`${name}: ${firstLine(file.message)}`];
    return failed.map((test) => `${name} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`);
  });
}

function failedChecks(results) {
  if (!results) return ['npm run check: left no report'];
  return results.filter((result) => !result.ok).map((result) => `npm run check ${result.name}`);
}

const tests = read('tests.json');
const slow = read('tests-slow.json');
const checks = read('check.json');
for (const line of [
  ...failedTests(tests, 'test'),
  ...failedTests(slow, 'test:slow'),
  ...failedChecks(checks),
])
  console.log(`✗ ${line}`);
const counts = [countTests(tests), countTests(slow), countChecks(checks)];
const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
const skipped = sum('skipped');
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
