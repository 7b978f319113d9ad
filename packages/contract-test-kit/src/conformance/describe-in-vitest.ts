import { beforeAll, describe, it } from 'vitest';
import type { Target } from '../target/target.js';
import { describeWith, type ConformanceOptions } from './describe-with.js';

/**
 * Judges a runner in a vitest suite: one test for each requirement.
 * @param target - a command that the kit starts and stops, or the URL of a runner that runs
 * @param options - which requirements, known failures, timeouts, seed, strictness
 * @throws NothingSelected when no requirement fits the selection
 */
export function describeConformance(target: Target, options?: ConformanceOptions): void {
  describeWith({ describe, before: beforeAll, it }, target, options);
}
