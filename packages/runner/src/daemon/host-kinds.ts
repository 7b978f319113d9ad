/**
 * @module
 * What the arguments and the environment come to: hosts, capabilities and the options of one runner. Imports the public
 * entries of the SDK and of the capabilities.
 */
import { automn } from '@controlplane/runner-sdk/automn';
import { controlPlane, type DeliveryKind, type Host } from '@controlplane/runner-sdk/host';
import { quarterback } from '@controlplane/runner-sdk/quarterback';
import { swamp } from '@controlplane/runner-sdk/swamp';
import { swarmletHosts } from '@controlplane/runner-sdk/swarmlet';
import type { CommandArguments } from './command-arguments.js';
import { containerImage } from './container-capability.js';

/** What commands of a host may do. */
export type ShellProfile = 'readonly' | 'full';

/** What hosts are made with beside their own environment variables. */
export interface HostChoices {
  readonly env: NodeJS.ProcessEnv;
  readonly values: CommandArguments['values'];
  readonly cacheDir: string | undefined;
  readonly dataPlaneUrl: string | undefined;
  readonly reconnect: boolean;
}

/** A control plane that the runner can work for. */
export interface HostKind {
  /** What its commands may do where the command line does not say. */
  readonly profile: (env: NodeJS.ProcessEnv) => ShellProfile | undefined;
  /** What it sends work for beside commands. */
  readonly needs?: ReadonlyArray<'script' | 'container'>;
  readonly make: (choices: HostChoices, profile: ShellProfile | undefined) => Host[];
  /** Its address, to look whether anybody answers there. */
  readonly urls: (env: NodeJS.ProcessEnv, values: CommandArguments['values']) => string[];
}

const words = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const shellOf = (profile: ShellProfile | undefined): string | undefined =>
  profile === undefined ? undefined : `shell.${profile}`;

/** Their runner counts in whole seconds. */
function secondsToMs(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d*$/.test(text)) return Number(text) * 1_000;
  throw new Error(`--${option} is "${text}": expected a whole number of seconds above 0`);
}

const DELIVERIES: readonly DeliveryKind[] = ['push', 'websocket', 'long-poll', 'auto'];

/** Every kind, by the name that `--host` knows it by. */
export const HOST_KINDS: Readonly<Record<string, HostKind>> = {
  jobforge: {
    profile: () => 'readonly',
    make: ({ env }) => [
      controlPlane({ delivery: DELIVERIES.find((one) => one === env['RUNNER_DELIVERY']) ?? 'auto' }),
    ],
    urls: (env) => [env['JOBFORGE_URL'] || 'http://127.0.0.1:3002'],
  },
  swarmlet: {
    // As Swarmlet's own runner has it: what is not said is what only looks.
    profile: (env) => (words(env['RUNNER_CAPABILITIES']).includes('exec.full') ? 'full' : 'readonly'),
    make: ({ env, values }, profile) =>
      swarmletHosts({
        capability: shellOf(profile),
        // A number goes before a name, as in the environment.
        ...(env['RUNNER_ID'] ? {} : { runnerName: values.name }),
      }),
    urls(env) {
      const several = words(env['LONGHOUSE_URLS']);
      return several.length > 0
        ? several
        : [env['SWARMLET_URL'] || env['LONGHOUSE_URL'] || 'ws://localhost:47300'];
    },
  },
  automn: {
    profile: () => undefined,
    needs: ['script'],
    make: () => [automn()],
    urls: (env) => [env['AUTOMN_HOST_URL'] || env['AUTOMN_RUNNER_HOST_URL'] || 'http://localhost:8088'],
  },
  swamp: {
    profile: () => 'full',
    make: ({ cacheDir, dataPlaneUrl, reconnect }, profile) => [
      swamp({ capability: shellOf(profile), cacheDir, dataPlaneUrl, reconnect }),
    ],
    urls: (env) => [env['SWAMP_ORCHESTRATOR_URL'] || 'ws://127.0.0.1:9090'],
  },
  quarterback: {
    profile: () => undefined,
    needs: ['container'],
    make: ({ env, values }) => [
      quarterback({
        url: values['orchestrator-url'],
        nodeName: values.name,
        pollIntervalMs: secondsToMs('poll-interval', values['poll-interval']),
        image: containerImage(values, env),
        home: values['victoria-home'],
      }),
    ],
    urls: (env, values) => [
      values['orchestrator-url'] ??
        (env['QUARTERBACK_URL'] || env['ORCHESTRATOR_URL'] || 'http://localhost:8000'),
    ],
  },
};
