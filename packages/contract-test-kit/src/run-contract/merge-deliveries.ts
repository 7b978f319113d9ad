import type { DeliveryKind } from '../target/delivery.js';
import type { Requirement } from '../requirements/requirement.js';
import type { JudgedCase, Outcome } from './judge-case.js';

/** What was judged over one delivery. */
export interface JudgedDelivery {
  readonly delivery: DeliveryKind;
  readonly judged: readonly JudgedCase[];
}

/** A requirement over all deliveries: its outcome is the worst of them. */
export interface MergedCase extends JudgedCase {
  /** Where the outcome is from. */
  readonly delivery: DeliveryKind;
  /** How it ended over each delivery that it concerns. */
  readonly over: readonly { readonly delivery: DeliveryKind; readonly kind: Outcome['kind'] }[];
}

/** Worst first. */
const WEIGHT: readonly Outcome['kind'][] = ['kit-fault', 'broken', 'not-evaluable', 'kept', 'not-applicable'];

/**
 * Makes one outcome of each requirement that was judged.
 * @param selected - gives the order
 * @param parts - what was judged over one delivery, or over several
 */
export function mergeDeliveries(
  selected: readonly Requirement[],
  parts: readonly JudgedDelivery[],
): readonly MergedCase[] {
  return selected.flatMap(({ id }) => {
    const all = parts.flatMap(({ delivery, judged }) =>
      judged.filter(({ requirement }) => requirement.id === id).map((one) => ({ ...one, delivery })),
    );
    const [worst] = all.toSorted(
      (left, right) => WEIGHT.indexOf(left.outcome.kind) - WEIGHT.indexOf(right.outcome.kind),
    );
    if (!worst) return [];
    const over = all
      .filter(({ outcome }) => outcome.kind !== 'not-applicable')
      .map(({ delivery, outcome }) => ({ delivery, kind: outcome.kind }));
    const durationMs = all.reduce((sum, one) => sum + one.durationMs, 0);
    return [{ ...worst, durationMs, over }];
  });
}
