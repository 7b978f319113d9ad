import { PlacementPredicate } from '@controlplane/contracts';
import { labelWords, type Demand, type Target } from './demand.js';
import { matchOf, type Refusal, type RunnerTraits } from './runner-match.js';

const ORDER = new Map(PlacementPredicate.options.map((name, index) => [name, index]));

/** How many predicates come before the one that fails; beyond all where none does. */
export function nearness(fails: PlacementPredicate | undefined): number {
  return fails === undefined ? Infinity : (ORDER.get(fails) ?? 0);
}

/** A demand without one of the things that it asks for. */
function without(demand: Demand, key: keyof Target): Demand {
  return { ...demand, target: { ...demand.target, [key]: undefined } };
}

function labelsWanted(
  wanted: NonNullable<Target['labels']>,
  { labels = {} }: RunnerTraits,
): string | undefined {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    const actual = Object.hasOwn(labels, name) ? labels[name] : undefined;
    // What it has not at all cannot be asked for in another value.
    if (actual === undefined) return undefined;
    const fits = typeof value === 'string' ? value === actual : value.includes(actual);
    if (!fits) parts.push(`--label ${labelWords(name, actual)}`);
  }
  return parts.join(' ');
}

function offeredVersion(runner: RunnerTraits, demand: Demand): string | undefined {
  const match = matchOf(runner, without(demand, 'version'));
  return 'capability' in match ? `${match.capability.id}@${match.capability.version}` : undefined;
}

/** What would have to be asked for so that a runner matched, as the command line takes it; undefined where it is more than one thing. */
export function changeFor(runner: RunnerTraits, demand: Demand, { fails }: Refusal): string | undefined {
  const { target } = demand;
  if (target === undefined) return undefined;
  if (fails === 'version') return offeredVersion(runner, demand);
  if (fails !== 'runner' && fails !== 'labels' && fails !== 'platform') return undefined;
  if (!('capability' in matchOf(runner, without(demand, fails)))) return undefined;
  if (fails === 'runner') return `--runner ${runner.name}`;
  if (fails === 'labels') return target.labels && labelsWanted(target.labels, runner);
  return runner.platform && `--platform ${runner.platform.os}/${runner.platform.arch}`;
}
