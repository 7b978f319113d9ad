import { expect, test } from 'vitest';
import { passedFlags } from './passed-flags.js';

test.each([
  [['--env-file=.env'], []],
  [['--env-file', '.env'], []],
  [['--env-file-if-exists=.env', '--env-file-if-exists', 'more.env'], []],
  [['--watch-path', './src', '--inspect-port', '0', '--watch'], []],
  [['-e', 'run()'], []],
  [['-i', '--print', '1 + 1'], []],
])('%j does not reach a process of a capability', (flags, passed) => {
  expect(passedFlags(flags)).toEqual(passed);
});

test('other flags do, with their values', () => {
  const flags = ['--import', 'tsx', '--max-old-space-size=64', '-r', './first.cjs', '--enable-source-maps'];
  expect(passedFlags(['--env-file', '.env', ...flags, '--inspect'])).toEqual(flags);
});
