import * as fc from 'fast-check';

export interface Exploration {
  readonly arbitrary: fc.Arbitrary<unknown>;
  /** Whether what was drawn is what is looked for: not all of a schema can be solved. */
  readonly fits: (input: unknown) => boolean;
  /** Tried before anything is drawn. */
  readonly examples: readonly unknown[];
  /** Tried one by one when nothing was found among those that are drawn. */
  readonly last: readonly unknown[];
  readonly seed: number;
  /** Milliseconds after which no more is tried, shrinking included. */
  readonly limitMs: number;
}

/** The smallest input that was found to break something. */
export interface Breaking<Finding> {
  readonly input: unknown;
  readonly finding: Finding;
}

export interface Explored<Finding> {
  /** Inputs that were tried. */
  readonly tried: number;
  readonly smallest: Breaking<Finding> | undefined;
}

/** Inputs that are drawn, and of the last ones those that are tried, unless the time is up before. */
const MOST_INPUTS = 25;
/** Draws that do not fit before the next is given up. */
const MOST_MISSES = 20;

/**
 * Tries inputs one after another until one breaks something, then smaller ones that still do.
 * @param attempt - what is broken by an input; what it throws ends the exploration and is thrown on
 * @returns how many were tried, and the smallest that broke something
 */
export async function exploreInputs<Finding>(
  { arbitrary, fits, examples, last, seed, limitMs }: Exploration,
  attempt: (input: unknown) => Promise<Finding | undefined>,
): Promise<Explored<Finding>> {
  const startedAt = performance.now();
  let tried = 0;
  let smallest: Breaking<Finding> | undefined;
  let thrown: { readonly error: unknown } | undefined;
  const holds = async (input: unknown): Promise<boolean> => {
    if (thrown) return true;
    fc.pre(fits(input));
    tried += 1;
    try {
      const finding = await attempt(input);
      // fast-check goes on with what is smaller and still fails: the last one is the smallest.
      if (finding !== undefined) smallest = { input, finding };
      return finding === undefined;
    } catch (error) {
      thrown = { error };
      return true;
    }
  };
  await fc.check(fc.asyncProperty(arbitrary, holds), {
    seed,
    numRuns: MOST_INPUTS,
    examples: examples.filter(fits).map((example) => [example]),
    maxSkipsPerRun: MOST_MISSES,
    interruptAfterTimeLimit: limitMs,
    markInterruptAsFailure: false,
  });
  const until = startedAt + limitMs;
  for (const input of last.filter(fits).slice(0, MOST_INPUTS)) {
    if (smallest || thrown || performance.now() > until) break;
    await holds(input);
  }
  if (thrown && !smallest) throw thrown.error;
  return { tried, smallest };
}
