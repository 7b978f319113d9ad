import type { Exchange } from '../harness/exchange.js';

/** What a runner did instead of what is required. */
export interface Finding {
  readonly expected: string;
  readonly actual: string;
  /** The exchange that shows it. */
  readonly exchange?: Exchange | undefined;
  /** The input that shows it, where it was made up: with it the case begins when it is judged again. */
  readonly input?: { readonly capabilityId: string; readonly value: unknown } | undefined;
  /** What was sent, where no exchange shows it. */
  readonly sent?: string | undefined;
}

/** The runner breaks the requirement. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  constructor(readonly finding: Finding) {
    super(`expected ${finding.expected}, got ${finding.actual}`);
  }
}

/** The requirement does not concern this runner, by what it declares or by how it is run. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** The requirement concerns the runner, but what is needed to judge it is missing. */
export class NotEvaluable extends Error {
  override readonly name = 'NotEvaluable';
}
