import type { RunnerMetadata } from '@controlplane/contracts';
import { ok, warning, type DoctorCheck } from './doctor-check.js';

const MAX_NAMED = 5;

export function listed(words: readonly string[]): string {
  const shown = words.slice(0, MAX_NAMED).join(', ');
  return words.length > MAX_NAMED ? `${shown} and ${words.length - MAX_NAMED} more` : shown;
}

const contractOf = ({ contractVersion }: RunnerMetadata): string =>
  typeof contractVersion === 'string'
    ? contractVersion
    : `${contractVersion.major}.${contractVersion.minor}.${contractVersion.patch}`;

const FACETS: readonly (readonly [name: string, of: (runner: RunnerMetadata) => string | undefined])[] = [
  ['version', ({ version }) => version],
  ['build', ({ buildId }) => buildId],
  ['contract', contractOf],
  [
    'capabilities',
    ({ capabilities }) =>
      capabilities
        .map(({ id, version }) => `${id}@${version}`)
        .sort()
        .join(' '),
  ],
];

/** In what the runners of one name differ; empty where they do not. */
export function driftOf(runners: readonly RunnerMetadata[]): string[] {
  return FACETS.flatMap(([name, of]) => {
    const values = new Map<string, string[]>();
    for (const runner of runners) {
      const value = of(runner) ?? 'none';
      values.set(value, [...(values.get(value) ?? []), runner.id]);
    }
    if (values.size < 2) return [];
    return [`${name} ${listed([...values].map(([value, ids]) => `${value} (${ids.length})`))}`];
  });
}

function checkDrift(runners: readonly RunnerMetadata[]): DoctorCheck {
  const byName = new Map<string, RunnerMetadata[]>();
  for (const runner of runners)
    if (runner.status !== 'offline') byName.set(runner.name, [...(byName.get(runner.name) ?? []), runner]);
  const drifts = [...byName].flatMap(([name, group]) => {
    const drift = driftOf(group);
    return drift.length === 0 ? [] : [`${name}: ${drift.join('; ')}`];
  });
  return drifts.length === 0
    ? ok('drift', 'runners of one name are of one version')
    : warning(
        'drift',
        `runners of one name differ: ${listed(drifts)}`,
        'Start the older ones anew with the newer version: a job may reach either.',
      );
}

function checkState(runners: readonly RunnerMetadata[]): DoctorCheck {
  const named = (of: readonly RunnerMetadata[]): string =>
    listed(of.map(({ name, id }) => `${name} (${id})`));
  const offline = runners.filter(({ status }) => status === 'offline');
  const ill = runners.filter(
    ({ status, stalledMs = 0 }) => status === 'unhealthy' || status === 'degraded' || stalledMs > 0,
  );
  if (ill.length > 0)
    return warning(
      'runners',
      `${ill.length} of ${runners.length} are not well: ${named(ill)}`,
      'Read what they say at GET /health, and their logs.',
    );
  if (offline.length > 0)
    return warning(
      'runners',
      `${offline.length} of ${runners.length} are offline: ${named(offline)}`,
      'Start them, or remove them with `jobforge runner delete`.',
    );
  return ok('runners', runners.length === 1 ? '1 runner, healthy' : `${runners.length} runners, all healthy`);
}

/** Looks at every runner that JobForge knows. */
export function checkRunners(runners: readonly RunnerMetadata[]): DoctorCheck[] {
  if (runners.length === 0)
    return [
      warning(
        'runners',
        'no runner is registered: jobs wait',
        'Start one: `npx create-runner my-runner` makes it.',
      ),
    ];
  return [checkState(runners), checkDrift(runners)];
}
