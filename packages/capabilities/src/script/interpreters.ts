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
  /** Language → why it is not there although the machine may have it: a program of its name hangs. */
  readonly unanswered?: Readonly<Partial<Record<ScriptLanguage, string>>>;
}

/** How {@link findInterpreters} looks. */
export interface FindInterpretersOptions {
  /**
   * Time for a program to answer, in milliseconds. Default: 60 000. A machine that does much else may take seconds to
   * start one, and PowerShell more; what takes longer hangs.
   */
  readonly probeMs?: number;
}

const PROBE_MS = 60_000;
const run = promisify(execFile);

/** Each prints its path and its version; a name on PATH may be a script that chooses the real program. */
const PROBES: Readonly<
  Record<ScriptLanguage, { readonly names: readonly string[]; readonly args: readonly string[] }>
> = {
  node: { names: [], args: ['-p', 'process.execPath + "\\n" + process.versions.node'] },
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

type Answer = Interpreter | 'absent' | 'silent';

async function probe(name: string, args: readonly string[], probeMs: number): Promise<Answer> {
  try {
    const { stdout } = await run(name, [...args], {
      timeout: probeMs,
      killSignal: 'SIGKILL',
      env: childEnvironment([], POWERSHELL_QUIET),
    });
    const [path = '', version = ''] = stdout.trim().split('\n');
    return path.startsWith('/') && /^\d+\.\d+\.\d+$/.test(version) ? { path, version } : 'absent';
  } catch (error) {
    // Killed: there is one, and it has not answered. Else not there, or not one that works.
    return (error as { readonly killed?: boolean }).killed === true ? 'silent' : 'absent';
  }
}

/** @returns the first one that answers; a text: there is one that does not */
async function find(
  language: ScriptLanguage,
  chosen: string | undefined,
  probeMs: number,
): Promise<Interpreter | string | undefined> {
  // This very program need not be asked.
  if (language === 'node' && chosen === undefined)
    return { path: process.execPath, version: process.versions.node };
  const { names, args } = PROBES[language];
  let silent: string | undefined;
  for (const name of chosen === undefined ? names : [chosen]) {
    const answer = await probe(name, args, probeMs);
    if (typeof answer !== 'string') return answer;
    if (answer === 'silent') silent ??= `${JSON.stringify(name)} did not answer within ${probeMs / 1_000} s`;
  }
  if (chosen === undefined) return silent;
  throw new RunnerError(
    'INVALID_OPTION',
    `${language}: ${silent ?? `${JSON.stringify(chosen)} is no interpreter that answers`}`,
  );
}

/**
 * Looks which interpreters this machine has: each is started once, for a minute at most.
 * @param chosen - paths or names of those to take; default: this Node.js, and `python3`, `python`, `bash`, `pwsh` on PATH
 * @throws RunnerError `INVALID_OPTION` when one that was chosen does not answer
 */
export async function findInterpreters(
  chosen: Readonly<Partial<Record<ScriptLanguage, string>>> = {},
  { probeMs = PROBE_MS }: FindInterpretersOptions = {},
): Promise<Interpreters> {
  const found = await Promise.all(
    SCRIPT_LANGUAGES.map(
      async (language) => [language, await find(language, chosen[language], probeMs)] as const,
    ),
  );
  const present: [ScriptLanguage, Interpreter][] = [];
  const unanswered: [ScriptLanguage, string][] = [];
  for (const [language, answer] of found) {
    if (typeof answer === 'string') unanswered.push([language, answer]);
    else if (answer) present.push([language, answer]);
  }
  return {
    languages: Object.fromEntries(present),
    labels: Object.fromEntries(present.map(([language, { version }]) => [language, version])),
    ...(unanswered.length > 0 ? { unanswered: Object.fromEntries(unanswered) } : {}),
  };
}
