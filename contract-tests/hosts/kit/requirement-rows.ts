import { readFileSync } from 'node:fs';
import { REQUIREMENTS, type Requirement } from '@controlplane/contract-test-kit';
import { parse } from 'yaml';
import { z } from 'zod';

/** The control planes of other kinds, in the order of the page. */
export const HOSTS = ['swarmlet', 'automn', 'swamp', 'quarterback'] as const;
export type HostName = (typeof HOSTS)[number];

const PROFILES = ['core', 'streaming', 'cancellation', 'security', 'resilience'];

const Ids = z.array(z.string()).min(1);
const Hosts = z.array(z.enum(HOSTS)).min(1);
const Shown = z.strictObject({
  host: z.enum(HOSTS),
  ids: Ids,
  /** From the root of the repository. */
  file: z.string(),
  /** As the test is called. */
  test: z.string(),
});
const Rows = z.strictObject({
  cases: z.array(z.strictObject({ hosts: Hosts, ids: Ids })),
  tests: z.array(Shown),
  reasons: z.array(z.strictObject({ why: z.string(), hosts: Hosts, ids: Ids })),
});

/** What a requirement comes to at one host: the kit's own case, a test in the host's words, or why neither can be. */
export type Standing =
  | { readonly kind: 'case' }
  | { readonly kind: 'test'; readonly file: string; readonly test: string }
  | { readonly kind: 'reason'; readonly why: string };

export interface Row {
  readonly id: string;
  readonly host: HostName;
  readonly standing: Standing;
}

/** What a runner owes whatever its delivery. */
export const DUE: readonly Requirement[] = REQUIREMENTS.filter(({ profile }) => PROFILES.includes(profile));

/** Every row of rows.yaml, as it is written. */
export function readRows(): readonly Row[] {
  const text = readFileSync(new URL('rows.yaml', import.meta.url), 'utf8');
  const { cases, tests, reasons } = Rows.parse(parse(text));
  const each = (hosts: readonly HostName[], ids: readonly string[], standing: Standing): Row[] =>
    hosts.flatMap((host) => ids.map((id) => ({ id, host, standing })));
  return [
    ...cases.flatMap(({ hosts, ids }) => each(hosts, ids, { kind: 'case' })),
    ...tests.flatMap(({ host, ids, file, test }) => each([host], ids, { kind: 'test', file, test })),
    ...reasons.flatMap(({ hosts, ids, why }) => each(hosts, ids, { kind: 'reason', why })),
  ];
}

/** Ids of the requirements whose case is run at a host. */
export const casesAt = (rows: readonly Row[], host: HostName): string[] =>
  rows.filter((row) => row.host === host && row.standing.kind === 'case').map(({ id }) => id);

const INTRO = `# What the contract test kit demands, at each control plane

A runner that works for a control plane of another kind keeps the same promises, as far as that one's protocol has words
for them. This page says of each requirement for runners how that is known there. It is made of
[rows.yaml](../../contract-tests/hosts/kit/rows.yaml); a test fails while they differ, and where a requirement of the kit
has no row for a host.

- **case**: the kit's own case is run, unchanged. Between the kit and a runner of ours stands
  [a bridge](../../contract-tests/hosts/kit/bridge.ts): each request of the kit becomes an order of that control plane, and
  what that control plane hears is the reply. \`kit-at-hosts.slow.test.ts\` runs them all.
- **test**: it cannot be asked for as the kit asks, and a test shows it in that control plane's own words.
- a number: the reason, below, why it is not asked for there.
`;

/** The page docs/hosts/kit.md. */
export function rowsPage(rows: readonly Row[]): string {
  const reasons = [
    ...new Set(rows.flatMap(({ standing }) => (standing.kind === 'reason' ? standing.why : []))),
  ];
  const shown = (id: string, host: HostName): string => {
    const standing = rows.find((row) => row.id === id && row.host === host)?.standing;
    if (!standing) return '**nothing**';
    if (standing.kind === 'case') return 'case';
    if (standing.kind === 'reason') return String(reasons.indexOf(standing.why) + 1);
    return `[test](../../${standing.file} "${standing.test}")`;
  };
  const line = ({ id, level }: Requirement): string =>
    `| \`${id}\` | ${level} | ${HOSTS.map((host) => shown(id, host)).join(' | ')} |`;
  const counts = HOSTS.map((host) => {
    const own = rows.filter((row) => row.host === host);
    const of = (kind: Standing['kind']): number =>
      own.filter(({ standing }) => standing.kind === kind).length;
    return `| ${host} | ${of('case')} | ${of('test')} | ${of('reason')} |`;
  });
  return [
    INTRO,
    '| | cases of the kit | tests in its own words | not asked for |\n|---|---|---|---|',
    `${counts.join('\n')}\n`,
    '## Requirements\n',
    `| requirement | level | ${HOSTS.join(' | ')} |\n|---|---|${HOSTS.map(() => '---|').join('')}`,
    `${DUE.map(line).join('\n')}\n`,
    '## Why not\n',
    `${reasons.map((why, index) => `${index + 1}. ${why}`).join('\n')}\n`,
  ].join('\n');
}
