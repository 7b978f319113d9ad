// Judges a runner that is known to be good again and again, each time in another order, and tells every alarm:
//   node contract-tests/kit/repeat-runs.mjs 20 "sh runner.sh" core security resilience
// What is known not to be kept is left out by a name with a minus: -errors.unknown-route
import { runContract } from '@controlplane/contract-test-kit';

const [count = '20', command, ...words] = process.argv.slice(2);
if (!command) throw new Error('usage: repeat-runs.mjs COUNT COMMAND [PROFILE…] [-REQUIREMENT…]');
const profiles = words.filter((word) => !word.startsWith('-'));
const expected = new Set(words.filter((word) => word.startsWith('-')).map((word) => word.slice(1)));

let alarms = 0;
for (let seed = 1; seed <= Number(count); seed += 1) {
  const { results, durationMs } = await runContract({ kind: 'command', command }, { profiles, seed });
  const told = results.filter(
    ({ id, status }) => !['passed', 'not-applicable'].includes(status) && !expected.has(id),
  );
  alarms += told.length;
  console.log(
    `seed ${seed}: ${(durationMs / 1000).toFixed(1)} s, ${told.length} alarms of ${results.length}`,
  );
  for (const { id, status, finding, reason } of told)
    console.log(
      `  ${status} ${id}: ${finding ? `expected ${finding.expected}; got ${finding.actual}` : reason}`,
    );
}
console.log(`${alarms} false alarms in ${count} runs`);
process.exitCode = alarms === 0 ? 0 : 1;
