import { join } from 'node:path';
import { findInterpreters, script, type Interpreters } from '@controlplane/capabilities/script';
import type { Capability } from '@controlplane/runner-sdk';
import type { CommandArguments } from './command-arguments.js';

type Values = CommandArguments['values'];

const firstOf = (env: NodeJS.ProcessEnv, ...names: readonly string[]): string | undefined =>
  names.map((name) => env[name]).find(Boolean);

/** The interpreters that the environment of Automn's own runner names; else none is. */
function chosenBy(env: NodeJS.ProcessEnv): Parameters<typeof findInterpreters>[0] {
  const chosen = {
    node: firstOf(env, 'AUTOMN_RUNNER_NODE_PATH'),
    python: firstOf(env, 'AUTOMN_RUNNER_PYTHON_PATH'),
    bash: firstOf(env, 'AUTOMN_RUNNER_SHELL_PATH', 'AUTOMN_SHELL_PATH'),
    powershell: firstOf(env, 'AUTOMN_RUNNER_POWERSHELL_PATH', 'AUTOMN_POWERSHELL_PATH'),
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, path]) => path !== undefined));
}

function workDirectoryOf(env: NodeJS.ProcessEnv): string | undefined {
  const data = firstOf(env, 'AUTOMN_RUNNER_DATA_DIR');
  return (
    firstOf(env, 'AUTOMN_RUNNER_WORKDIR') ?? (data === undefined ? undefined : join(data, 'script_workdir'))
  );
}

/** Scripts, and what runs them here. */
export interface Scripts {
  readonly capability: Capability;
  readonly interpreters: Interpreters;
}

/** What whoever starts the runner must hear: jobs are placed by labels, and wait where one is missing. */
export const warningsOf = ({ unanswered = {} }: Interpreters): readonly string[] =>
  Object.entries(unanswered).map(
    ([language, why]) => `no scripts in ${language} are taken until the next start: ${why}`,
  );

/**
 * Scripts in the languages that this machine has.
 * @param isForAutomn - whether the variables of Automn's own runner count
 * @throws RunnerError `INVALID_OPTION` for an interpreter that does not answer
 */
export async function scriptsOf(
  { 'state-dir': stateDirectory }: Values,
  env: NodeJS.ProcessEnv,
  isForAutomn: boolean,
): Promise<Scripts> {
  const interpreters = await findInterpreters(isForAutomn ? chosenBy(env) : {});
  const workDirectory = isForAutomn ? workDirectoryOf(env) : undefined;
  return { capability: script({ interpreters, stateDirectory, workDirectory }), interpreters };
}
