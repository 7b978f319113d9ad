import { availableParallelism, hostname } from 'node:os';
import { shell } from '@controlplane/capabilities/shell';
import type { Capability, RunnerOptions } from '@controlplane/runner-sdk';
import { swampRunnerOptions } from '@controlplane/runner-sdk/swamp';
import type { CommandArguments } from './command-arguments.js';
import { containerOf } from './container-capability.js';
import { HOST_KINDS, type HostChoices, type HostKind, type ShellProfile } from './host-kinds.js';
import { scriptsOf, warningsOf, type Scripts } from './script-capability.js';

type Values = CommandArguments['values'];

/** What a runner is made of. */
export interface DaemonPlan {
  /** The kinds of its hosts, in order. */
  readonly kinds: readonly string[];
  readonly options: RunnerOptions;
  /** What the machine lacks though it seems to have it, in words. */
  readonly warnings: readonly string[];
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span such as `90s` or `1h30m`; a number alone is milliseconds. */
export function spanOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const isSpan = /^(?:\d+(?:ms|s|m|h|d))+$/.test(text);
  if (!isSpan) throw new Error(`--${option} is "${text}": expected a span such as 500ms, 90s, 10m or 1h30m`);
  return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (UNIT_MS[unit] ?? 0),
    0,
  );
}

function countOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${option} is "${text}": expected a whole number above 0`);
}

/** The kinds of host that are asked for, each once. */
export function kindsOf(values: Values, env: NodeJS.ProcessEnv): string[] {
  const asked = values.host ?? [env['CONTROLPLANE_RUNNER_HOSTS'] ?? ''];
  const names = asked.flatMap((text) => text.split(',')).map((name) => name.trim());
  const kinds = [...new Set(names.filter((name) => name !== ''))];
  const known = Object.keys(HOST_KINDS).join(', ');
  if (kinds.length === 0)
    throw new Error(`say whom the runner works for: --host, one or several of ${known}`);
  const unknown = kinds.find((kind) => !Object.hasOwn(HOST_KINDS, kind));
  if (unknown !== undefined) throw new Error(`there is no host "${unknown}": expected ${known}`);
  return kinds;
}

function profileOf({ shell: text }: Values): ShellProfile | undefined {
  if (text === undefined || text === 'full' || text === 'readonly') return text;
  throw new Error(`--shell is "${text}": expected readonly or full`);
}

function labelsOf({ label }: Values): Record<string, string> | undefined {
  if (!label) return undefined;
  return Object.fromEntries(
    label.map((pair) => {
      const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (key === undefined || value === undefined)
        throw new Error(`--label is "${pair}": expected key=value`);
      return [key, value];
    }),
  );
}

interface Wanted {
  readonly profiles: ReadonlySet<ShellProfile | undefined>;
  readonly needs: ReadonlySet<'script' | 'container'>;
  readonly scripts: Scripts | undefined;
}

async function capabilitiesOf(
  values: Values,
  env: NodeJS.ProcessEnv,
  { profiles, needs, scripts }: Wanted,
): Promise<Capability[]> {
  const { allow = [], 'state-dir': stateDirectory } = values;
  const capabilities: Capability[] = [];
  // They keep commands out of it, and in it what they started.
  if (profiles.has('readonly')) capabilities.push(shell({ profile: 'readonly', allow, stateDirectory }));
  if (profiles.has('full')) capabilities.push(shell({ profile: 'full', stateDirectory }));
  if (scripts) capabilities.push(scripts.capability);
  if (needs.has('container')) capabilities.push(await containerOf(values, env));
  return capabilities;
}

/**
 * A control plane that places jobs by what the runner can do is told all of it: what another host of the same runner
 * asks for is not offered there unasked.
 * @throws Error where one would be
 */
function checkProfiles(
  asked: ShellProfile | undefined,
  profiles: ReadonlyMap<string, ShellProfile | undefined>,
): void {
  if (asked !== undefined || !profiles.has('jobforge')) return;
  const [other] = [...profiles].find(([, profile]) => profile === 'full') ?? [];
  if (other === undefined) return;
  throw new Error(
    `--host jobforge would be offered any command, because ${other} sends such: say --shell full or --shell readonly for both, or start a runner for each`,
  );
}

/**
 * Containers are offered to JobForge too, with the network, the folder and the variables that the command line names.
 * @throws Error where nobody said of what image
 */
function checkContainers(values: Values, kinds: readonly string[], { needs }: Wanted): void {
  if (!needs.has('container') || !kinds.includes('jobforge') || values['container-image'] !== undefined)
    return;
  throw new Error(
    '--host jobforge would be offered containers, because another host asks for such: say by --container-image of what image, or start a runner for each',
  );
}

/**
 * A script is any command.
 * @throws Error where scripts would be offered to JobForge unasked
 */
function checkScripts(
  { script: isAsked }: Values,
  kinds: readonly string[],
  { needs }: Pick<Wanted, 'needs'>,
): void {
  if (isAsked || !needs.has('script') || !kinds.includes('jobforge')) return;
  throw new Error(
    '--host jobforge would be offered scripts, because another host sends such: say --script, or start a runner for each',
  );
}

/** Limits of the runner: what the command line says goes before what the environment of swamp's own runner says. */
function limitsOf(values: Values, kinds: readonly string[]): Partial<RunnerOptions> {
  const { concurrency } = values;
  const ofSwamp = kinds.includes('swamp') ? swampRunnerOptions() : undefined;
  return {
    maxConcurrency:
      (concurrency === 'auto' ? availableParallelism() : countOf('concurrency', concurrency)) ??
      ofSwamp?.maxConcurrency,
    maxJobs: countOf('max-dispatches', values['max-dispatches']) ?? ofSwamp?.maxJobs,
    idleTimeoutMs: spanOf('idle-timeout', values['idle-timeout']) ?? ofSwamp?.idleTimeoutMs,
    maxUptimeMs: spanOf('max-uptime', values['max-uptime']),
    drainMs: spanOf('drain', values.drain),
  };
}

/**
 * What the runner is made of.
 * @throws Error with what is wrong, in words: of the command line, or a RunnerError of an option or variable
 */
export async function planDaemon(
  values: Values,
  env: NodeJS.ProcessEnv,
  version: string,
): Promise<DaemonPlan> {
  const kinds = kindsOf(values, env);
  const asked = profileOf(values);
  const choices: HostChoices = {
    env,
    values,
    cacheDir: values['cache-dir'],
    dataPlaneUrl: values['data-plane-url'],
    reconnect: values['no-reconnect'] !== true,
  };
  const chosen = kinds.map((name) => {
    const kind: HostKind | undefined = HOST_KINDS[name];
    if (!kind) throw new Error(`there is no host "${name}"`);
    return { kind, profile: asked ?? kind.profile(env) };
  });
  checkProfiles(asked, new Map(chosen.map(({ profile }, index) => [kinds[index] ?? '', profile])));
  const needs = new Set(chosen.flatMap(({ kind }) => kind.needs ?? []));
  checkScripts(values, kinds, { needs });
  const hasScripts = values.script === true || needs.has('script');
  const scripts = hasScripts ? await scriptsOf(values, env, kinds.includes('automn')) : undefined;
  const wanted: Wanted = { profiles: new Set(chosen.map(({ profile }) => profile)), needs, scripts };
  checkContainers(values, kinds, wanted);
  return {
    kinds,
    warnings: scripts ? warningsOf(scripts.interpreters) : [],
    options: {
      name: values.name ?? (env['RUNNER_NAME'] || hostname()),
      version,
      capabilities: await capabilitiesOf(values, env, wanted),
      hosts: chosen.flatMap(({ kind, profile }) => kind.make(choices, profile)),
      labels: { ...scripts?.interpreters.labels, ...labelsOf(values) },
      stateDirectory: values['state-dir'],
      ...limitsOf(values, kinds),
      ...(values.verbose ? { logLevel: 'debug' as const } : {}),
    },
  };
}
