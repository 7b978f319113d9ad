import {
  compareVersions,
  satisfiesVersionRange,
  type PlacementPredicate,
  type Platform,
  type RunnerCapability,
} from '@controlplane/contracts';
import { archName, osName, type Demand, type Target } from './demand.js';
import { matchesGlob } from './name-glob.js';

/** What a runner is, whatever it does at the moment. */
export interface RunnerTraits {
  readonly id: string;
  readonly name: string;
  readonly capabilities: readonly RunnerCapability[];
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly platform: Platform | undefined;
  /** What it can do beyond answering `POST /execute`, as it says of itself. */
  readonly features?: readonly string[] | undefined;
}

/** The first predicate that a runner fails, and why in words that follow its name. */
export interface Refusal {
  readonly fails: PlacementPredicate;
  readonly reason: string;
}

/** The capabilities of a runner that serve a demand in some version: by id first, then by job type unless that is ruled out. */
function serving(
  capabilities: readonly RunnerCapability[],
  { payloadType, jobType, target }: Demand,
): RunnerCapability[] {
  const byId = capabilities.filter(({ id }) => id === payloadType);
  return byId.length > 0 || target?.servedBy === 'id'
    ? byId
    : capabilities.filter(({ supportedJobTypes }) => supportedJobTypes.includes(jobType));
}

function named(runner: RunnerTraits, pattern: string): boolean {
  return runner.id === pattern || matchesGlob(runner.name, pattern);
}

function labelRefusal(
  { labels = {} }: RunnerTraits,
  wanted: NonNullable<Target['labels']>,
): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    const actual = Object.hasOwn(labels, name) ? labels[name] : undefined;
    if (actual === undefined) return `has no label ${name}`;
    const fits = typeof value === 'string' ? actual === value : value.includes(actual);
    if (!fits) return `labels.${name} is ${JSON.stringify(actual)}`;
  }
  return undefined;
}

function platformRefusal(
  { platform }: RunnerTraits,
  wanted: NonNullable<Target['platform']>,
): string | undefined {
  if (platform === undefined) return 'does not say on what platform it runs';
  const { os, arch } = wanted;
  const fits =
    (os === undefined || osName(os) === osName(platform.os)) &&
    (arch === undefined || archName(arch) === archName(platform.arch));
  return fits ? undefined : `runs on ${platform.os}/${platform.arch}`;
}

function filesRefusal({ features }: RunnerTraits, { needsFiles }: Demand): Refusal | undefined {
  if (!needsFiles || features?.includes('files')) return undefined;
  return {
    fails: 'features',
    reason: 'does not declare the feature files, by which it would fetch those of the job',
  };
}

function targetRefusal(runner: RunnerTraits, target: Target): Refusal | undefined {
  if (target.runner !== undefined && !named(runner, target.runner))
    return { fails: 'runner', reason: `is not ${target.runner}` };
  const label = target.labels && labelRefusal(runner, target.labels);
  if (label !== undefined) return { fails: 'labels', reason: label };
  const platform = target.platform && platformRefusal(runner, target.platform);
  return platform === undefined ? undefined : { fails: 'platform', reason: platform };
}

/**
 * The capability with which a runner would serve a demand, or why it would not. Of several versions that will do the
 * highest is taken.
 */
export function matchOf(
  runner: RunnerTraits,
  demand: Demand,
): { readonly capability: RunnerCapability } | Refusal {
  const offered = serving(runner.capabilities, demand);
  if (offered.length === 0) return { fails: 'capability', reason: `does not offer ${demand.payloadType}` };
  const { target } = demand;
  const range = target?.version;
  const fitting =
    range === undefined ? offered : offered.filter(({ version }) => satisfiesVersionRange(version, range));
  const [first, ...others] = fitting;
  if (first === undefined) {
    const versions = offered.map(({ id, version }) => `${id}@${version}`).join(', ');
    return { fails: 'version', reason: `offers ${versions}` };
  }
  const refusal = (target && targetRefusal(runner, target)) ?? filesRefusal(runner, demand);
  if (refusal !== undefined) return refusal;
  const capability = others.reduce(
    (best, other) => (compareVersions(other.version, best.version) > 0 ? other : best),
    first,
  );
  return { capability };
}
