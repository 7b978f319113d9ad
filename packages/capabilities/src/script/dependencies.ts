import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CapabilityError } from '@controlplane/runner-sdk';
import { createCapturedOutput } from '../process/captured-output.js';
import { childEnvironment } from '../process/child-environment.js';
import { findProgram } from '../process/find-program.js';
import type { ProcessLedger } from '../process/process-ledger.js';
import { runProcess } from '../process/run-process.js';
import type { Interpreter } from './interpreters.js';
import type { ScriptLanguage } from './script-languages.js';

/** Time for one installation, in milliseconds; the executions that wait for it have time limits of their own. */
const INSTALL_MS = 300_000;
const SHOWN_BYTES = 4_096;

/** Names and versions of a registry, and nothing else: no URL, no folder, no option of the installer. */
const SPECS: Readonly<Record<'node' | 'python', RegExp>> = {
  node: /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*(@[\^~]?[0-9A-Za-z][0-9A-Za-z.+-]*)?$/i,
  python:
    /^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?((==|>=|<=|~=|<|>)[0-9A-Za-z.*+!-]+(,(==|>=|<=|~=|<|>|!=)[0-9A-Za-z.*+!-]+)*)?$/,
};

/** Packages that scripts ask for: each set of them is installed once. */
export interface Dependencies {
  /**
   * @returns the folder that holds them: `node_modules` for Node.js, a folder for `PYTHONPATH`
   * @throws CapabilityError `DEPENDENCY_REFUSED`, `DEPENDENCIES_NOT_INSTALLED`
   */
  install(wanted: WantedPackages, signal: AbortSignal): Promise<string | undefined>;
}

/** The packages of one script. */
export interface WantedPackages {
  readonly language: ScriptLanguage;
  readonly interpreter: Interpreter;
  readonly specs: readonly string[];
}

/** What {@link createDependencies} is told. */
export interface DependenciesOptions {
  readonly cache: string;
  readonly ledger: ProcessLedger;
  /** Where packages come from; default: what npm and pip are configured for. */
  readonly registries: { readonly npm?: string | undefined; readonly pypi?: string | undefined };
  /** Names of variables that the installers are given beside PATH and the like. */
  readonly environment: readonly string[];
}

type Install = WantedPackages & { readonly language: 'node' | 'python' };

function check({ language, specs }: WantedPackages): void {
  const refused =
    language === 'node' || language === 'python'
      ? specs.find((spec) => !SPECS[language].test(spec))
      : specs[0];
  if (refused === undefined) return;
  const example = language === 'python' ? 'requests==2.32.0' : 'left-pad@1.3.0';
  throw new CapabilityError(
    'DEPENDENCY_REFUSED',
    `dependency ${JSON.stringify(refused)} is no package of a registry with a version, such as ${example}`,
    { retryable: false, category: 'VALIDATION_ERROR' },
  );
}

/** Everything that decides what is installed. */
function keyOf({ language, interpreter, specs }: Install, { registries }: DependenciesOptions): string {
  const parts = [
    interpreter.version,
    process.platform,
    process.arch,
    registries,
    [...new Set(specs)].sort(byText),
  ];
  return `${language}-${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

async function npmOf(interpreter: Interpreter, path: string): Promise<string> {
  const beside = join(dirname(interpreter.path), 'npm');
  const npm = existsSync(beside) ? beside : await findProgram('npm', { path, cwd: '/' });
  if (npm !== undefined) return npm;
  throw new CapabilityError('DEPENDENCIES_NOT_INSTALLED', 'this machine has no npm', { retryable: false });
}

/** Nothing of a package runs while it is installed. */
async function commandOf(
  wanted: Install,
  folder: string,
  options: DependenciesOptions,
): Promise<readonly string[]> {
  const { interpreter, specs } = wanted;
  const { npm, pypi } = options.registries;
  if (wanted.language === 'python') {
    const index = pypi === undefined ? [] : ['--index-url', pypi];
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-input',
      '--disable-pip-version-check',
      '--only-binary=:all:',
    ];
    return [interpreter.path, ...pip, '--target', join(folder, 'packages'), ...index, '--', ...specs];
  }
  // npm takes a folder for a project, and would look for one further up.
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const path = childEnvironment([], {})['PATH'] ?? '';
  const registry = npm === undefined ? [] : ['--registry', npm];
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  return [await npmOf(interpreter, path), 'install', ...flags, ...registry, '--', ...specs];
}

async function installInto(wanted: Install, folder: string, options: DependenciesOptions): Promise<void> {
  const printed = createCapturedOutput(SHOWN_BYTES);
  const end = await runProcess({
    argv: await commandOf(wanted, folder, options),
    cwd: folder,
    env: childEnvironment(options.environment, {
      PATH: `${dirname(wanted.interpreter.path)}:${childEnvironment([], {})['PATH'] ?? ''}`,
    }),
    signal: AbortSignal.timeout(INSTALL_MS),
    termGraceMs: 1_000,
    ledger: options.ledger,
    mark: randomUUID(),
    onOutput: (_stream, chunk) => printed.write(chunk),
  });
  if (end.exitCode === 0) return;
  throw new CapabilityError(
    'DEPENDENCIES_NOT_INSTALLED',
    `${wanted.specs.join(', ')} could not be installed: the installer ended with ${end.signal ?? `exit code ${end.exitCode}`}`,
    {
      details: [{ message: printed.read().text }],
      remedy: 'Check the names and versions, and that the runner reaches the registry.',
    },
  );
}

/** In a folder beside, which takes its name once it is whole: a cut-off installation is never used. */
async function installOnce(wanted: Install, target: string, options: DependenciesOptions): Promise<void> {
  const folder = `${target}.${randomUUID()}`;
  mkdirSync(folder, { mode: 0o755 });
  try {
    await installInto(wanted, folder, options);
    // Another runner of this user may have been faster: what it installed is the same.
    if (!existsSync(target)) renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Makes what installs packages for scripts. */
export function createDependencies(options: DependenciesOptions): Dependencies {
  const installing = new Map<string, Promise<void>>();
  return {
    async install(wanted, signal) {
      if (wanted.specs.length === 0) return undefined;
      check(wanted);
      const install = wanted as Install;
      const key = keyOf(install, options);
      const target = join(options.cache, key);
      if (!existsSync(target)) {
        const running =
          installing.get(key) ?? installOnce(install, target, options).finally(() => installing.delete(key));
        installing.set(key, running);
        await untilAborted(running, signal);
      }
      return join(target, install.language === 'node' ? 'node_modules' : 'packages');
    },
  };
}
