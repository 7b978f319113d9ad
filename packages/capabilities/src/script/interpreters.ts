import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RunnerError } from '@controlplane/runner-sdk';
import { childEnvironment } from '../process/child-environment.js';
import {
  POWERSHELL_FLAGS,
  POWERSHELL_QUIET,
  SCRIPT_LANGUAGES,
  type ScriptLanguage,
} from './script-languages.js';

/** A program that runs scripts of one language. */
export interface Interpreter {
  /** Absolute path. */
  readonly path: string;
  /** As the program says itself, such as `3.11.7`. */
  readonly version: string;
}

/** What runs scripts on this machine. */
export interface Interpreters {
  readonly languages: Readonly<Partial<Record<ScriptLanguage, Interpreter>>>;
  /** Language → version, for the labels of the runner: jobs are then placed by them. */
  readonly labels: Readonly<Record<string, string>>;
}

// PowerShell alone takes seconds for its first start on a busy machine.
const PROBE_MS = 10_000;
const run = promisify(execFile);

/** Each prints its path and its version; a name on PATH may be a script that chooses the real program. */
const PROBES: Readonly<
  Record<ScriptLanguage, { readonly names: readonly string[]; readonly args: readonly string[] }>
> = {
  node: { names: [process.execPath], args: ['-p', 'process.execPath + "\\n" + process.versions.node'] },
  python: {
    names: ['python3', 'python'],
    args: ['-c', 'import sys; print(sys.executable); print("%d.%d.%d" % sys.version_info[:3])'],
  },
  bash: {
    names: ['bash'],
    args: ['-c', 'type -P "$BASH"; echo "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}.${BASH_VERSINFO[2]}"'],
  },
  powershell: {
    names: ['pwsh'],
    // Installed as a tool of .NET it has no program in its own folder.
    args: [
      ...POWERSHELL_FLAGS,
      '-Command',
      '$p = Join-Path $PSHOME pwsh; if (!(Test-Path $p)) { $p = (Get-Command pwsh -CommandType Application)[0].Source }; $p; $v = $PSVersionTable.PSVersion; "$($v.Major).$($v.Minor).$($v.Patch)"',
    ],
  },
};

async function probe(name: string, args: readonly string[]): Promise<Interpreter | undefined> {
  try {
    const { stdout } = await run(name, [...args], {
      timeout: PROBE_MS,
      env: childEnvironment([], POWERSHELL_QUIET),
    });
    const [path = '', version = ''] = stdout.trim().split('\n');
    return path.startsWith('/') && /^\d+\.\d+\.\d+$/.test(version) ? { path, version } : undefined;
  } catch {
    // Not there, or not one that works.
    return undefined;
  }
}

async function find(language: ScriptLanguage, chosen: string | undefined): Promise<Interpreter | undefined> {
  const { names, args } = PROBES[language];
  for (const name of chosen === undefined ? names : [chosen]) {
    const found = await probe(name, args);
    if (found) return found;
  }
  if (chosen === undefined) return undefined;
  throw new RunnerError(
    'INVALID_OPTION',
    `${language}: ${JSON.stringify(chosen)} is no interpreter that answers`,
  );
}

/**
 * Looks which interpreters this machine has: each is started once, for ten seconds at most.
 * @param chosen - paths or names of those to take; default: this Node.js, and `python3`, `python`, `bash`, `pwsh` on PATH
 * @throws RunnerError `INVALID_OPTION` when one that was chosen does not answer
 */
export async function findInterpreters(
  chosen: Readonly<Partial<Record<ScriptLanguage, string>>> = {},
): Promise<Interpreters> {
  const found = await Promise.all(
    SCRIPT_LANGUAGES.map(async (language) => [language, await find(language, chosen[language])] as const),
  );
  const present = found.filter((entry): entry is [ScriptLanguage, Interpreter] => entry[1] !== undefined);
  return {
    languages: Object.fromEntries(present),
    labels: Object.fromEntries(present.map(([language, { version }]) => [language, version])),
  };
}
