import { resolve } from 'node:path';
import { placeProject } from '../destination/place-project.js';
import { buildProject, writeProject } from '../project/build-project.js';
import type { BuiltProject } from '../project/build-project.js';
import { startRepository } from '../project/git-repository.js';
import { lockedTarballs } from '../project/local-packages.js';
import type { LocalPackages } from '../project/local-packages.js';
import { NPM_LOCK_FILE, npmLockText, readLockTable } from '../project/npm-lock.js';
import type { LockOptions } from '../project/npm-lock.js';
import { npmRegistry } from '../project/npm-registry.js';
import { runCommand, succeeded } from '../project/run-command.js';
import { commandsOf, INSTALL, nextCommands } from './commands-to-type.js';
import { projectAnswers } from './options.js';
import type { Answers } from './options.js';
import type { CreatedReport } from './report.js';
import { environmentForTools } from './surroundings.js';
import type { Surroundings } from './surroundings.js';

export interface CreateOptions {
  readonly answers: Answers;
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** Instead of those on the registry. */
  readonly packages: LocalPackages | undefined;
}

function write(
  { answers, packages }: CreateOptions,
  { templates, version, cwd, env }: Surroundings,
): (folder: string) => Promise<readonly string[]> {
  return async (folder) => {
    const commands = commandsOf(answers.pm);
    const built = await buildProject({
      answers: projectAnswers(answers),
      commands,
      templates,
      version,
      packages,
    });
    if (answers.pm !== 'npm') return writeProject(folder, built);
    // Where npm does not say it, its first install makes the lockfile.
    const registry = await npmRegistry({ cwd, env: environmentForTools(env) });
    if (registry === undefined) return writeProject(folder, built);
    const tarballs = lockedTarballs(packages ?? new Map());
    return writeProject(folder, withLock(built, { table: readLockTable(templates), registry, tarballs }));
  };
}

/** The lockfile is no text of the template's: npm changes it, and no upgrade merges it. */
function withLock({ files, tarballs }: BuiltProject, options: LockOptions): BuiltProject {
  const text = npmLockText(files.get('package.json') ?? '', options);
  return { files: new Map([...files, [NPM_LOCK_FILE, text]]), tarballs };
}

async function startGit(path: string, surroundings: Surroundings): Promise<void> {
  const outcome = await startRepository({ cwd: path, env: environmentForTools(surroundings.env) });
  if (outcome === 'failed')
    surroundings.stderr('! git did not start a repository here; the project is complete without one.\n');
}

/** What npm, pnpm, yarn and bun say of a package of ours that the registry does not have. */
const UNPUBLISHED = /404[^]*@controlplane(?:\/|%2f)|@controlplane(?:\/|%2f)[^]*404/i;
const UNPUBLISHED_HINT =
  '  The registry does not have the @controlplane packages. In a checkout of them, pnpm pack each one into a folder DIR,\n' +
  '  then create the project with --packages DIR (and --force, in place of this one).\n';

async function install(path: string, answers: Answers, surroundings: Surroundings): Promise<boolean> {
  const [command = 'npm', ...args] = INSTALL[answers.pm];
  let said = '';
  const end = await runCommand(command, args, {
    cwd: path,
    env: environmentForTools(surroundings.env),
    heard: (text) => {
      said += text;
      surroundings.stderr(text);
    },
  });
  if (succeeded(end)) return true;
  const reason = 'code' in end ? `ended with ${end.code}` : end.notStarted;
  surroundings.stderr(
    `! The packages are not installed (${command} ${reason}). The project is complete; run "${INSTALL[answers.pm].join(' ')}" in it later.\n`,
  );
  if (UNPUBLISHED.test(said)) surroundings.stderr(UNPUBLISHED_HINT);
  return false;
}

/** Creates the project, then what was asked for around it. Git and install may fail without harm to it. */
export async function create(options: CreateOptions, surroundings: Surroundings): Promise<CreatedReport> {
  const { answers } = options;
  const path = resolve(surroundings.cwd, answers.dir);
  const files = await placeProject(path, {
    force: options.force,
    write: write(options, surroundings),
    signal: options.signal,
  });
  if (answers.git) await startGit(path, surroundings);
  const installed = answers.install && (await install(path, answers, surroundings));
  return { created: path, files, next: nextCommands({ answers, installed }) };
}
