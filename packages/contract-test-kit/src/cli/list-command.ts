import { readExplanations } from '../requirements/explanation.js';
import { findRequirement, type Requirement } from '../requirements/requirement.js';
import { selectRequirements } from '../requirements/select-requirements.js';
import { EXIT, UsageError } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** `contract-test list`: every requirement, a line each. */
export function listCommand({ json = false }: { readonly json?: boolean }, { out }: Terminal): number {
  const { selected } = selectRequirements({});
  if (json) {
    out(`${JSON.stringify(selected, null, 2)}\n`);
    return EXIT.conformant;
  }
  for (const { id, level, profile, statement } of selected)
    out(`${id.padEnd(42)} ${level.padEnd(6)} ${profile.padEnd(12)} ${statement}\n`);
  return EXIT.conformant;
}

const NEEDS: Readonly<Record<Requirement['needs'], string>> = {
  runner: '--url or --command',
  'control-plane': '--command, or --url with --control-plane-port',
  process: '--command',
};

/** `contract-test explain ID`: one requirement in full, what its case does, and how to mend a runner that breaks it. */
export function explainCommand(
  id: string,
  { json = false }: { readonly json?: boolean },
  { out }: Terminal,
): number {
  const requirement = findRequirement(id);
  if (!requirement)
    throw new UsageError(`there is no requirement "${id}"; \`contract-test list\` shows them all`);
  const explanation = readExplanations().get(id);
  if (json) {
    out(`${JSON.stringify({ ...requirement, ...explanation }, null, 2)}\n`);
    return EXIT.conformant;
  }
  const { level, profile, section, since, statement, needs, feature, fixture } = requirement;
  const verdict =
    level === 'MUST' ? 'a runner that breaks it is not conformant' : 'a warning; with --strict a failure';
  const rows: [string, string | undefined][] = [
    ['statement', statement],
    ['level', `${level} (${verdict})`],
    ['profile', profile],
    ['contract', `${section}, since ${since}`],
    ['the case', explanation?.does],
    ['to mend', explanation?.mend],
    ['judged', `with ${NEEDS[needs]}`],
    ['only if', feature && `the runner declares the feature ${feature}`],
    ['fixture', fixture && `${fixture} (not judged for a runner that offers no conformance.* capability)`],
    ['run it', `npx contract-test run --command "…" --run ${id}`],
  ];
  out(`${id}\n`);
  for (const [name, value] of rows) if (value !== undefined) out(`  ${name.padEnd(10)} ${value}\n`);
  return EXIT.conformant;
}
