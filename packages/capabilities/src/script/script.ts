import { randomUUID } from 'node:crypto';
import { existsSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  CapabilityError,
  defineCapability,
  RunnerError,
  type Capability,
  type CapabilityContext,
} from '@controlplane/runner-sdk';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { childEnvironment } from '../process/child-environment.js';
import { childSettings, SAME_USER, type ChildOptions, type ChildSettings } from '../process/child-options.js';
import { commandOutcome, createCaptured } from '../process/command-outcome.js';
import { createHiding } from '../process/hide-secrets.js';
import { scriptFolderOf } from '../process/options.js';
import { stricterLimits, withLimits } from '../process/resource-limits.js';
import { runProcess } from '../process/run-process.js';
import { createDependencies, type Dependencies } from './dependencies.js';
import { createHelperChannel, type HelperChannel } from './helper-channel.js';
import type { Interpreter, Interpreters } from './interpreters.js';
import { POWERSHELL_FLAGS, POWERSHELL_QUIET } from './script-languages.js';
import { SCRIPT_SIDES } from './script-side.js';
import { ScriptInput, ScriptResult } from './script-input.js';
import { createWorkFolders, type WorkFolder, type WorkFolders } from './work-folder.js';

const MAX_OUTPUT_BYTES = 50 * 1024;
const KEEP_FAILED = 5;

/** What {@link script} is told; everything but the interpreters has a default. */
export interface ScriptOptions extends ChildOptions {
  /** What `findInterpreters()` found; its `labels` are for the runner. */
  readonly interpreters: Interpreters;
  /** Default: `script.run`. */
  readonly id?: string | undefined;
  /** Names of secrets that each script is given as variables of the same name. Default: none. */
  readonly secrets?: readonly string[] | undefined;
  /** Folder for what scripts work in and the packages that they ask for. Default: one of this user among the temporary files. */
  readonly workDirectory?: string | undefined;
  /** How many folders of scripts that failed are kept, the last ones. Default: 5. */
  readonly keepFailed?: number | undefined;
  /** Whether scripts may ask for packages, and where those come from. Default: what npm and pip are configured for. */
  readonly packages?:
    | false
    | { readonly npmRegistry?: string | undefined; readonly pypiIndex?: string | undefined }
    | undefined;
  /** Milliseconds that a script may take where the sender names no limit. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Scripts that run at once. Default: as many as the runner takes. */
  readonly maxConcurrency?: number | undefined;
  /** Bytes of standard output, and of standard error, that are kept for the result: the first and the last half. Default: 50 KB. */
  readonly maxOutputBytes?: number | undefined;
}

/** The capability that {@link script} makes. */
export type ScriptCapability = Capability<
  StandardSchemaV1<ScriptInput, ScriptInput>,
  StandardSchemaV1<ScriptResult, ScriptResult>
>;

interface Scripts {
  readonly interpreters: Interpreters;
  readonly settings: ChildSettings;
  readonly folders: WorkFolders;
  readonly dependencies: Dependencies | undefined;
  readonly maxOutputBytes: number;
}

function interpreterOf({ language }: ScriptInput, { languages, unanswered }: Interpreters): Interpreter {
  const found = languages[language];
  if (found) return found;
  const silent = unanswered?.[language];
  const why = silent === undefined ? '' : ` (when it started, ${silent})`;
  throw new CapabilityError(
    'INTERPRETER_MISSING',
    `this runner has no interpreter for ${language}${why}; it has ${Object.keys(languages).join(', ') || 'none'}`,
    { retryable: false, category: 'RESOURCE_NOT_FOUND', remedy: `Place the job with the label ${language}.` },
  );
}

async function packagesOf(
  input: ScriptInput,
  scripts: Scripts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { language, dependencies: specs = [] } = input;
  if (specs.length === 0) return undefined;
  if (!scripts.dependencies)
    throw new CapabilityError('DEPENDENCY_REFUSED', 'this runner installs no packages for scripts', {
      retryable: false,
    });
  return scripts.dependencies.install(
    { language, interpreter: interpreterOf(input, scripts.interpreters), specs },
    signal,
  );
}

function channelOf(ctx: CapabilityContext, hide: (text: string) => string): HelperChannel {
  return createHelperChannel({
    hide,
    log: ({ level, message, fields }) => ctx.log[level](message, fields),
    notify: ({ level, message, audience }) => ctx.notify(message, { level, audience }),
    progress(fraction, message) {
      // It may come when the execution is over: then nobody wants to know.
      ctx.progress(fraction, message).catch(() => undefined);
    },
  });
}

/** Where the script is written to, and what it is run with. */
function layOut(input: ScriptInput, folder: WorkFolder, packages: string | undefined) {
  const { language, args = [] } = input;
  const { script, helper } = SCRIPT_SIDES[language];
  const at = (name: string): string => join(folder.path, name);
  if (language === 'node' && packages !== undefined && existsSync(packages))
    symlinkSync(packages, at('node_modules'));
  const own = { JOB_FOLDER: folder.path, JOB_INPUT: at('input.json') };
  const python = {
    PYTHONPATH: [folder.path, ...(packages === undefined ? [] : [packages])].join(delimiter),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONIOENCODING: 'utf-8',
  };
  switch (language) {
    case 'node':
      return { args: ['--import', `./${helper}`, script, ...args], env: own };
    case 'python':
      return { args: [script, ...args], env: { ...own, ...python } };
    case 'bash':
      return { args: [script, ...args], env: { ...own, BASH_ENV: at(helper) } };
    case 'powershell':
      return {
        args: [...POWERSHELL_FLAGS, '-File', script, ...args],
        env: { ...own, ...POWERSHELL_QUIET, PSModulePath: folder.path },
      };
  }
}

async function runIn(
  folder: WorkFolder,
  input: ScriptInput,
  run: { readonly ctx: CapabilityContext; readonly scripts: Scripts },
): Promise<ScriptResult> {
  const { ctx, scripts } = run;
  const { settings, interpreters } = scripts;
  const packages = await packagesOf(input, scripts, ctx.signal);
  const { args, env } = layOut(input, folder, packages);
  const secrets = Object.values(ctx.secrets);
  const hide = createHiding(secrets);
  const captured = createCaptured(scripts.maxOutputBytes, secrets);
  const channel = channelOf(ctx, hide.text);
  const given = { ...input.variables, ...ctx.secrets, ...env };
  const end = await runProcess({
    argv: withLimits(
      [interpreterOf(input, interpreters).path, ...args],
      stricterLimits(settings.limits, input.limits ?? {}),
    ),
    cwd: folder.path,
    env: childEnvironment(settings.environment, { ...given, HOME: folder.path, TMPDIR: folder.path }),
    stdin: input.stdin,
    extraFds: ['pipe'],
    runAs: settings.runAs,
    signal: ctx.signal,
    termGraceMs: settings.termGraceMs,
    ledger: settings.ledger,
    mark: randomUUID(),
    onExtra: channel.write,
    onOutput(stream, chunk) {
      captured[stream].write(chunk);
      ctx.output(stream, chunk);
    },
  });
  if (ctx.signal.aborted) {
    // The outcome says why it was stopped; how it ended is for the log.
    ctx.log.warn('the script was stopped', { ...end });
    throw ctx.signal.reason;
  }
  if (channel.refused > 0)
    ctx.log.warn('the script wrote to descriptor 3 what is no message', { lines: channel.refused });
  const said = hide.json(channel.said()) as Pick<ScriptResult, 'data' | 'logs' | 'notifications'>;
  const ended = commandOutcome(end, captured, {
    exitCodes: input.exitCodes,
    what: 'the script',
    more: { data: said.data },
  });
  return { ...ended, ...said, input: input.input ?? null };
}

async function runScript(
  input: ScriptInput,
  ctx: CapabilityContext,
  scripts: Scripts,
): Promise<ScriptResult> {
  interpreterOf(input, scripts.interpreters);
  const { script, helper, helperCode } = SCRIPT_SIDES[input.language];
  const folder = scripts.folders.make({
    [script]: input.code,
    [helper]: helperCode,
    'input.json': JSON.stringify(input.input ?? null),
  });
  let failed = true;
  try {
    const result = await runIn(folder, input, { ctx, scripts });
    failed = false;
    return result;
  } finally {
    if (!folder.close(failed && !ctx.signal.aborted))
      ctx.log.warn('the folder of the script could not be removed', { folder: folder.path });
  }
}

function prepare(options: ScriptOptions): Scripts {
  const {
    interpreters,
    runAs,
    packages = {},
    maxOutputBytes = MAX_OUTPUT_BYTES,
    keepFailed = KEEP_FAILED,
  } = options;
  if (Object.keys(interpreters.languages).length === 0)
    throw new RunnerError(
      'INVALID_OPTION',
      'interpreters: this machine has none of node, python, bash and pwsh',
    );
  const settings = childSettings(options);
  const folders = createWorkFolders({ root: scriptFolderOf(options.workDirectory), runAs, keepFailed });
  const { cache } = folders;
  const { environment, ledger } = settings;
  const dependencies =
    packages === false
      ? undefined
      : createDependencies({
          cache,
          ledger,
          environment,
          registries: { npm: packages.npmRegistry, pypi: packages.pypiIndex },
        });
  return { interpreters, settings, folders, dependencies, maxOutputBytes };
}

/**
 * Makes a capability that runs scripts. What a killed runner left behind is ended and taken away when this is called.
 * @param options - the interpreters, and what scripts are given
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * const interpreters = await findInterpreters();
 * createRunner({ name: 'scripts', labels: interpreters.labels, capabilities: [script({ interpreters })] });
 */
export function script(options: ScriptOptions): ScriptCapability {
  const scripts = prepare(options);
  return defineCapability({
    id: options.id ?? 'script.run',
    version: '1.0.0',
    description: `Runs a script of ${Object.keys(options.interpreters.languages).join(', ')}.`,
    input: ScriptInput,
    output: ScriptResult,
    effects: 'writes',
    timeoutMs: options.timeoutMs,
    maxConcurrency: options.maxConcurrency,
    secrets: options.secrets ?? [],
    startWarning: options.runAs ? undefined : SAME_USER,
    execute: (input, ctx) => runScript(input, ctx as CapabilityContext, scripts),
  });
}
