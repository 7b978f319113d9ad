/**
 * @module
 * A run as the tests of a test framework: one test for each requirement. Knows of a framework what it is handed.
 */
import type { ContractReport, RequirementResult } from '../reporters/report.js';
import { failsRun, findingRows, knownText } from '../reporters/report-words.js';
import { selectRequirements } from '../requirements/select-requirements.js';
import type { RunContractOptions } from '../run-contract/options.js';
import { NothingSelected, runContract } from '../run-contract/run-contract.js';
import type { Target } from '../target/target.js';

/** Options of `describeConformance`: those of a run, and how long it may take. */
export interface ConformanceOptions extends RunContractOptions {
  /** Milliseconds that the whole run may take. Default: 120 000. */
  readonly runTimeoutMs?: number | undefined;
  /** Given the report when the run has ended, to write it as a file for example. */
  readonly onReport?: ((report: ContractReport) => void | Promise<void>) | undefined;
}

/** What is needed of a test framework. */
export interface TestFramework {
  describe(name: string, body: () => void): void;
  before(deed: () => Promise<void>, timeoutMs: number): void;
  it(name: string, body: (context: { skip(reason: string): void }) => void): void;
}

function failureText(result: RequirementResult): string {
  const { status, known, reason, level, section } = result;
  const rows = findingRows(result).map(([label, text]) => `  ${label.padEnd(9)}  ${text}`);
  const why = status === 'error' ? `fault of the kit, not of the runner: ${reason ?? ''}` : reason;
  return [
    `${result.id} (${level}, contract ${section})`,
    ...(known ? [`  ${knownText(known)}`] : []),
    ...(rows.length > 0 ? rows : [`  ${why ?? result.statement}`]),
  ].join('\n');
}

/** Why a result is neither a pass nor a failure. */
function skipReason({ status, reason = '', known }: RequirementResult): string | undefined {
  if (known?.state === 'accepted') return knownText(known);
  return status === 'not-applicable' || status === 'not-evaluable'
    ? `${status === 'not-applicable' ? 'not applicable' : 'not judged'}: ${reason}`
    : undefined;
}

/**
 * Describes a suite with one test for each selected requirement. The runner is judged once, before the first test;
 * what is not applicable, not judged and need not be, or an accepted known failure is skipped with its reason.
 * @throws NothingSelected when no requirement fits the selection
 */
export function describeWith(
  framework: TestFramework,
  target: Target,
  options: ConformanceOptions = {},
): void {
  const { runTimeoutMs = 120_000, onReport, ...run } = options;
  const { selected, unmatched } = selectRequirements({ ids: run.run, profiles: run.profiles });
  if (unmatched.length > 0 || selected.length === 0)
    throw new NothingSelected(`no requirement fits ${unmatched.join(', ') || 'the ids and profiles'}`);
  framework.describe('contract', () => {
    const results = new Map<string, RequirementResult>();
    framework.before(async () => {
      const report = await runContract(target, run);
      for (const result of report.results) results.set(result.id, result);
      await onReport?.(report);
    }, runTimeoutMs);
    for (const { id, level, statement } of selected)
      framework.it(`${id} (${level}): ${statement}`, (context) => {
        const result = results.get(id);
        if (!result) throw new Error(`${id} was not judged: the run did not come to its end`);
        if (failsRun(result)) throw new Error(failureText(result));
        const reason = skipReason(result);
        if (reason !== undefined) context.skip(reason);
      });
  });
}
