import { readExplanations } from '../requirements/explanation.js';
import { findRequirement, isScored, type Level, type Requirement } from '../requirements/requirement.js';
import { selectRequirements } from '../requirements/select-requirements.js';
import { EXIT, UsageError } from './exit-codes.js';
import { parseProfiles } from './parse-flags.js';
import type { Terminal } from './terminal.js';

export interface ListFlags {
  readonly profile?: readonly string[];
  readonly json?: boolean;
}

/** `contract-test list`: every requirement, or those of some profiles, a line each. */
export function listCommand({ json = false, profile }: ListFlags, { out }: Terminal): number {
  const { selected } = selectRequirements({ profiles: parseProfiles(profile) });
  if (json) {
    const rows = selected.map((requirement) => ({ ...requirement, scored: isScored(requirement) }));
    out(`${JSON.stringify(rows, null, 2)}\n`);
    return EXIT.conformant;
  }
  for (const { id, level, profile: of, statement } of selected)
    out(`${id.padEnd(42)} ${level.padEnd(6)} ${of.padEnd(12)} ${statement}\n`);
  return EXIT.conformant;
}

const LEVELS: Readonly<Record<Level, string>> = {
  MUST: 'a runner that breaks it is not conformant',
  SHOULD: 'a warning; with --strict a failure',
  MAY: 'a runner that does not is told so, and no more',
};

const NEEDS: Readonly<Record<Requirement['needs'], string>> = {
  runner: '--url or --command',
  'control-plane': '--command, or --url with --control-plane-port',
  process: '--command',
  'control-plane-url': '--control-plane',
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
  const { level, profile, section, since, until, statement, needs, feature, fixture } = requirement;
  const rows: [string, string | undefined][] = [
    ['statement', statement],
    ['level', `${level} (${isScored(requirement) ? LEVELS[level] : 'judged, and not scored yet'})`],
    ['profile', profile],
    ['contract', `${section}, since ${since}${until === undefined ? '' : `, until ${until}`}`],
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
