import { before, describe, it } from 'node:test';
import type { Target } from '../target/target.js';
import { describeWith, type ConformanceOptions, type TestFramework } from './describe-with.js';

/**
 * Judges a runner in a suite of `node --test`: one test for each requirement.
 * @param target - a command that the kit starts and stops, or the URL of a runner that runs
 * @param options - which requirements, known failures, timeouts, seed, strictness
 * @throws NothingSelected when no requirement fits the selection
 */
export function describeConformance(target: Target, options?: ConformanceOptions): void {
  const framework: TestFramework = {
    describe: (name, body) => void describe(name, body),
    before: (deed, timeout) => before(deed, { timeout }),
    it: (name, body) => void it(name, (context) => body(context)),
  };
  describeWith(framework, target, options);
}
