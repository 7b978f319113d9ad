import { readdirSync, readFileSync } from 'node:fs';
import { REQUIREMENTS, type Requirement } from '@controlplane/contract-test-kit';

interface Source {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly text: string;
}

function sourcesIn(folder: string, pattern: RegExp): readonly Source[] {
  const root = new URL(`../../${folder}/`, import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => pattern.test(file))
    .toSorted()
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(new URL(file, root), 'utf8') }));
}

/** What a runner that dials out breaks over each of its deliveries, by one name. */
function linkIds(name: string): readonly string[] {
  const ids = ['websocket', 'long-poll'].map((delivery) => `${delivery}.${name}`);
  const known = ids.filter((id) => REQUIREMENTS.some((requirement) => requirement.id === id));
  return known.length > 0 ? known : [name];
}

function brokenIn(text: string): readonly string[] {
  const whole = [...text.matchAll(/broken\('([^']+)'\)/g)].map(([, id = '']) => id);
  const names = [...text.matchAll(/breaks\('([^']+)'\)/g)].map(([, name = '']) => name);
  // A proxy before a control plane names what it breaks in lists too.
  const listed = [...text.matchAll(/'(control-plane\.[a-z-]+)'/g)].map(([, id = '']) => id);
  return [...whole, ...listed, ...names.flatMap(linkIds)];
}

/** For each requirement that something breaks on purpose, the files that do. */
export function findMutants(): ReadonlyMap<string, readonly string[]> {
  const mutants = new Map<string, Set<string>>();
  for (const { file, text } of sourcesIn('contract-tests/broken-runners', /\.mjs$/))
    for (const id of brokenIn(text)) mutants.set(id, (mutants.get(id) ?? new Set()).add(file));
  return new Map([...mutants].map(([id, files]) => [id, [...files]]));
}

/** The files of the kit whose cases judge a requirement. */
function casesOf(id: string, sources: readonly Source[]): readonly string[] {
  // A case of both deliveries that dial out has the name of one in its id.
  const shared = id.replace(/^(websocket|long-poll)\./, '${kind}.');
  return sources
    .filter(({ text }) => text.includes(`'${id}'`) || text.includes(`\`${shared}\``))
    .map(({ file }) => file);
}

const link = (file: string): string => `[${file.split('/').at(-1)}](../${file})`;
const links = (files: readonly string[] = []): string => files.map(link).join(', ') || '**nothing**';

const INTRO = `# The kill matrix of the contract test kit

A case that cannot fail says nothing. For each requirement there is something that breaks it, and nothing else; the
case must fail on that, and on nothing that is good. This page lists who breaks what, and which case kills it: it is
made from the requirements, the cases and [the broken runners](../contract-tests/broken-runners), and a test fails while
they differ. That each is killed is proved by \`kill-matrix.slow.test.ts\` and, for runners that dial out,
\`dial-in.slow.test.ts\` in \`contract-tests/kit\`, which run all of them;
the other way round, \`good-runners.slow.test.ts\` and \`languages.slow.test.ts\` judge runners that break nothing.

To see one of them killed:

    npx contract-test run --command "node contract-tests/broken-runners/broken-runner.mjs --break health.answers"
`;

/** The page docs/kit-kill-matrix.md. */
export function killMatrixPage(): string {
  const mutants = findMutants();
  const sources = sourcesIn('packages/contract-test-kit/src', /^cases?\/(?!.*\.test\.).*\.ts$/);
  const row = ({ id, level, profile }: Requirement): string =>
    `| \`${id}\` | ${level} | ${profile} | ${links(mutants.get(id))} | ${links(casesOf(id, sources))} |`;
  const head = '| Requirement | Level | Profile | Broken by | Killed by |\n|---|---|---|---|---|';
  const count = `${REQUIREMENTS.length} requirements, ${mutants.size} of them broken on purpose.`;
  return `${INTRO}\n${count}\n\n${head}\n${REQUIREMENTS.map(row).join('\n')}\n`;
}
