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

/** The package manager that started this command, from the user agent that each of them sets. Default: npm. */
export function startedBy(env: NodeJS.ProcessEnv): PackageManager {
  const agent = env['npm_config_user_agent']?.split('/')[0];
  return PACKAGE_MANAGERS.find((name) => name === agent) ?? 'npm';
}

// What the package manager that started us says to its own scripts; another one would take it for its configuration.
const LEAKED = /^(?:npm_|pnpm_|INIT_CWD$)/i;
const KEPT = /^npm_config_(?:registry|proxy|https[-_]proxy|no[-_]?proxy|cafile|ca|strict[-_]ssl)$/i;

/** The environment for the tools that we start. */
export function environmentForTools(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => KEPT.test(name) || !LEAKED.test(name)));
}
