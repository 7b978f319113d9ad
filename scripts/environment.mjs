// What npm and pnpm put into the environment of a script changes how child tools behave (a cache, a log level, a user
// agent that is not theirs). Only what says where packages come from is passed on: a proxy or a mirror set by hand
// must keep working.
const KEPT = /^npm_config_(registry|proxy|https[-_]proxy|no[-_]?proxy|cafile|ca|strict[-_]ssl)$/i;
const LEAKED = /^(npm_|pnpm_|INIT_CWD$|NODE$|COLOR$)/i;

/**
 * The environment for a child process, without what the package manager that started this script added.
 * @param {NodeJS.ProcessEnv} [extra] set on top
 * @returns {NodeJS.ProcessEnv}
 */
export function childEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name, value]) => {
    if (KEPT.test(name)) return value !== '';
    return !LEAKED.test(name);
  });
  return { ...Object.fromEntries(kept), ...extra };
}

/** Takes out of this process's own environment what a child would not be given either. */
export function cleanOwnEnvironment() {
  const kept = childEnvironment();
  for (const name of Object.keys(process.env)) if (!(name in kept)) delete process.env[name];
}

/** The folder in which the person typed the command; npm itself moves to the repository's root. */
export const typedIn = process.env['INIT_CWD'] ?? process.cwd();
