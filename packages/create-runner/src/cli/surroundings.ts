import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_MANAGERS } from './options.js';
import type { Controls, PackageManager } from './options.js';

/** What the command meets: the only way in which it sees the process around it. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Both stdin and stdout are a terminal. */
  readonly terminal: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Milliseconds since the process started. */
  readonly elapsedMs: () => number;
  /** Of create-runner itself. */
  readonly version: string;
  /** The folder of the packed templates. */
  readonly templates: string;
}

const OFF = new Set(['', '0', 'false']);

/** Whether somebody is there who can answer, and wants to be asked. */
export function mayAsk(surroundings: Pick<Surroundings, 'env' | 'terminal'>, controls: Controls): boolean {
  const inCi = !OFF.has(surroundings.env['CI'] ?? '');
  return surroundings.terminal && !inCi && controls.interactive && !controls.yes && !controls.json;
}

const LOCKFILES = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
] as const satisfies ReadonlyArray<readonly [string, PackageManager]>;

/** Whose lockfile is in the folder or above it, up to where a repository begins. */
function lockedBy(folder: string): PackageManager | undefined {
  const found = LOCKFILES.find(([file]) => existsSync(join(folder, file)));
  if (found) return found[1];
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, '.git')) ? undefined : lockedBy(above);
}

/**
 * The package manager that started this command, from the user agent that each of them sets. npm starts it for many who
 * work with another: then the lockfile around decides. Default: npm.
 */
export function startedBy({ env, cwd }: Pick<Surroundings, 'env' | 'cwd'>): PackageManager {
  const agent = env['npm_config_user_agent']?.split('/')[0];
  const found = PACKAGE_MANAGERS.find((name) => name === agent) ?? 'npm';
  return found === 'npm' ? (lockedBy(cwd) ?? 'npm') : found;
}

/** Flags that npm has no use for itself; what else it takes means something to it. */
const SWALLOWED = ['template', 'delivery', 'port', 'pm'] as const;

/**
 * `npm create runner NAME --port 4000` without `--` before the flags: npm takes them for its own settings, and hands
 * them on as variables. As they would have been typed.
 */
export function swallowedFlags({ argv, env }: Pick<Surroundings, 'argv' | 'env'>): string[] {
  return SWALLOWED.flatMap((name) => {
    const value = env[`npm_config_${name}`];
    const isTyped = argv.some((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
    return value === undefined || value === '' || value === 'true' || isTyped ? [] : [`--${name}`, value];
  });
}

// What the package manager that started us says to its own scripts; another one would take it for its configuration.
const LEAKED = /^(?:npm_|pnpm_|INIT_CWD$)/i;
const KEPT = /^npm_config_(?:registry|proxy|https[-_]proxy|no[-_]?proxy|cafile|ca|strict[-_]ssl)$/i;

/** The environment for the tools that we start. */
export function environmentForTools(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => KEPT.test(name) || !LEAKED.test(name)));
}
