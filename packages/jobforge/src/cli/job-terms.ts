import type { RequestOf } from '@controlplane/contracts';
import type { Command } from 'commander';
import { misused } from './cli-failure.js';
import { momentAhead } from './moment.js';
import { choice, gather, integer } from './option-values.js';

type Body = RequestOf<'submitJob'>;
type Placement = NonNullable<Body['placement']>;

/** Where and when a job may run, as the command line says it. */
export interface TermOptions {
  readonly runner?: string;
  readonly label?: readonly string[];
  readonly platform?: string;
  readonly affinity?: string;
  readonly match: 'wait' | 'fail';
  readonly concurrency?: string;
  readonly concurrencyLimit?: number;
  readonly onConflict?: 'queue' | 'cancel-newest' | 'cancel-oldest';
  readonly startAt?: string;
  readonly expiresAt?: string;
}

/** Gives a command the options that say where and when a job may run. */
export function withTerms(command: Command): Command {
  return command
    .option(
      '--runner <id|name|pattern>',
      'only on this runner, or on those whose name matches, such as client-acme-*',
    )
    .option(
      '--label <name=value>',
      'only where this label is set; again for more, a|b for one of several',
      gather,
    )
    .option('--platform <os[/arch]>', 'only there, such as linux/arm64')
    .option('--affinity <key>', 'with the other jobs of this key on one runner')
    .option(
      '--no-match <wait|fail>',
      'while no runner matches: let the job wait, or refuse it',
      choice(['wait', 'fail'] as const),
      'wait',
    )
    .option('--concurrency <key>', 'not beside other jobs of this key')
    .option(
      '--concurrency-limit <count>',
      'so many of the key at once (default: 1)',
      integer({ min: 1, max: 100_000 }),
    )
    .option(
      '--on-conflict <what>',
      'where there are as many: queue (the default), cancel-newest or cancel-oldest',
      choice(['queue', 'cancel-newest', 'cancel-oldest'] as const),
    )
    .option('--start-at <time>', 'not before, such as 10m, 2h or an ISO time')
    .option('--expires-at <time>', 'ends as expired when it has not started by then');
}

function labelsOf(texts: readonly string[]): NonNullable<Placement['labels']> {
  const pairs = texts.map((text): [string, string | string[]] => {
    const at = text.indexOf('=');
    if (at < 1) throw misused(`"${text}" is no label: expected name=value, such as region=eu.`);
    const value = text.slice(at + 1);
    return [text.slice(0, at), value.includes('|') ? value.split('|') : value];
  });
  return Object.fromEntries(pairs);
}

function platformOf(text: string): NonNullable<Placement['platform']> {
  const [os = '', arch, ...rest] = text.split('/');
  if (rest.length > 0 || arch === '' || (os === '' && arch === undefined))
    throw misused(`"${text}" is no platform: expected os, os/arch or */arch, such as linux/arm64.`);
  return { ...(os === '' || os === '*' ? {} : { os }), ...(arch === undefined ? {} : { arch }) };
}

function placementOf(options: TermOptions, version: string | undefined): Placement | undefined {
  const { runner, label, platform, affinity, match } = options;
  const placement: Placement = {
    ...(version === undefined ? {} : { version }),
    ...(runner === undefined ? {} : { runner }),
    ...(label === undefined ? {} : { labels: labelsOf(label) }),
    ...(platform === undefined ? {} : { platform: platformOf(platform) }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(match === 'fail' ? { noMatch: match } : {}),
  };
  return Object.keys(placement).length === 0 ? undefined : placement;
}

function concurrencyOf({
  concurrency: key,
  concurrencyLimit: limit,
  onConflict,
}: TermOptions): Body['concurrency'] {
  if (key !== undefined)
    return {
      key,
      ...(limit === undefined ? {} : { limit }),
      ...(onConflict === undefined ? {} : { onConflict }),
    };
  if (limit === undefined && onConflict === undefined) return undefined;
  throw misused('--concurrency-limit and --on-conflict say more about a key: add --concurrency <key>.');
}

/** The id of a capability and, behind an `@`, the versions of it that will do. */
export function readCapability(text: string): {
  readonly capability: string;
  readonly version: string | undefined;
} {
  const at = text.indexOf('@');
  if (at < 0) return { capability: text, version: undefined };
  return { capability: text.slice(0, at), version: text.slice(at + 1) };
}

/** What the options say of a job, beside its metadata. */
export function termsIn(
  options: TermOptions,
  version: string | undefined,
): Pick<Body, 'placement' | 'concurrency'> {
  const placement = placementOf(options, version);
  const concurrency = concurrencyOf(options);
  return {
    ...(placement === undefined ? {} : { placement }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}

/** When it may start, and until when. */
export function timesIn(
  { startAt, expiresAt }: TermOptions,
  now: number,
): { readonly scheduledAt?: string; readonly expiresAt?: string } {
  return {
    ...(startAt === undefined ? {} : { scheduledAt: momentAhead(startAt, now) }),
    ...(expiresAt === undefined ? {} : { expiresAt: momentAhead(expiresAt, now) }),
  };
}
