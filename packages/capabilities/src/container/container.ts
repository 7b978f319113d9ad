import { randomUUID } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import {
  CapabilityError,
  defineCapability,
  RunnerError,
  type Capability,
  type CapabilityContext,
} from '@controlplane/runner-sdk';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { commandOutcome, createCaptured } from '../process/command-outcome.js';
import { containerFolderOf, containerLedgerDirectoryOf } from '../process/options.js';
import type { ContainerPlan } from './container-arguments.js';
import { artifactNames } from './artifact-names.js';
import { ContainerInput, ContainerResult, type ContainerArtifact } from './container-input.js';
import { createContainerLedger, type ContainerLedger } from './container-ledger.js';
import {
  createPermissions,
  type AllowedContainer,
  type ContainerPermissions,
} from './container-permissions.js';
import { followContainer, makeContainer, removeContainer, type ContainerRun } from './container-run.js';
import { removeLeftBehind } from './engine-command.js';
import { engineEnvironment, type Engine } from './engine.js';
import { leftFiles, makeJobFolder, removeJobFolder, type JobFolder } from './job-folder.js';

const MAX_OUTPUT_BYTES = 50 * 1024;
const MAX_ARTIFACT_BYTES = 100 * 1024 * 1024;
/** Fetching an image takes its time. */
const TIMEOUT_MS = 300_000;
/** Below the five seconds after which the SDK gives up a handler whose time is over: the removal comes after. */
const MAX_TERM_GRACE_MS = 3_000;

/** What {@link container} is told; everything but the engine and the images has a default. */
export interface ContainerOptions extends ContainerPermissions {
  /** What `findEngine()` found; its `labels` are for the runner. */
  readonly engine: Engine;
  /** Default: `container.run`. */
  readonly id?: string | undefined;
  /** A file of this machine with variables that every container is given, one `NAME=value` a line. Default: none. */
  readonly envFile?: string | undefined;
  /** Names of secrets that each container is given as variables of the same name. Default: none. */
  readonly secrets?: readonly string[] | undefined;
  /** Milliseconds that containers get between SIGTERM and SIGKILL, whole seconds up to 3,000. Default: 2,000. */
  readonly termGraceMs?: number | undefined;
  /** Folder for the files that containers are given and leave. Default: one of this user among the temporary files. */
  readonly workDirectory?: string | undefined;
  /**
   * Folder in whose `containers` it is written down what runs, so that the next start removes what a killed runner left
   * behind. Environment: `RUNNER_STATE_DIR`. Default: a folder of this user among the temporary files.
   */
  readonly stateDirectory?: string | undefined;
  /** Milliseconds that a container may take where the sender names no limit, the fetching of its image included. Default: 300,000. */
  readonly timeoutMs?: number | undefined;
  /** Containers that run at once. Default: as many as the runner takes. */
  readonly maxConcurrency?: number | undefined;
  /** Bytes of standard output, and of standard error, that are kept for the result: the first and the last half. Default: 50 KB. */
  readonly maxOutputBytes?: number | undefined;
  /** Bytes of all files together that a container may leave. Default: 100 MB. */
  readonly maxArtifactBytes?: number | undefined;
}

/** The capability that {@link container} makes. */
export type ContainerCapability = Capability<
  StandardSchemaV1<ContainerInput, ContainerInput>,
  StandardSchemaV1<ContainerResult, ContainerResult>
>;

interface Containers {
  readonly options: ContainerOptions;
  readonly allow: (input: ContainerInput) => AllowedContainer;
  readonly ledger: ContainerLedger;
  readonly root: string;
  readonly termGraceMs: number;
}

/** Values never stand among the arguments of the engine, where everybody on the machine reads them. */
function layOutVariables(
  folder: JobFolder,
  variables: Readonly<Record<string, string>>,
): { readonly passedOn: readonly string[] } {
  const own = engineEnvironment();
  const lines = Object.entries(variables).filter(([, value]) => !value.includes('\n'));
  const passedOn = Object.keys(variables).filter((name) => variables[name]?.includes('\n'));
  const taken = passedOn.find((name) => name in own);
  if (taken !== undefined)
    throw new CapabilityError(
      'VALIDATION_ERROR',
      `env.${taken}: a value with line breaks cannot have this name`,
      {
        retryable: false,
      },
    );
  writeFileSync(folder.envFile, lines.map(([name, value]) => `${name}=${value}\n`).join(''), { mode: 0o600 });
  chmodSync(folder.envFile, 0o600);
  return { passedOn };
}

async function runIn(
  folder: JobFolder,
  plan: ContainerPlan,
  run: Omit<ContainerRun, 'plan' | 'captured'> & { readonly options: ContainerOptions },
): Promise<ContainerResult> {
  const { ctx, options } = run;
  const captured = createCaptured(options.maxOutputBytes ?? MAX_OUTPUT_BYTES, Object.values(ctx.secrets));
  const whole: ContainerRun = { ...run, plan, captured };
  await makeContainer(whole);
  const { state, ...end } = await followContainer(whole);
  if (ctx.signal.aborted) {
    // The outcome says why it was stopped; how it ended is for the log.
    ctx.log.warn('the container was stopped', { exitCode: end.exitCode, durationMs: end.durationMs });
    throw ctx.signal.reason;
  }
  if (state.outOfMemory)
    throw new CapabilityError('COMMAND_LIMIT_EXCEEDED', 'the container exceeded its limit of memory', {
      retryable: false,
      remedy: 'Raise `limits`, of the job or of the capability, or let it use less.',
    });
  // What it left may say why it failed.
  const artifacts = await leaveFiles(folder, ctx, options.maxArtifactBytes ?? MAX_ARTIFACT_BYTES);
  const { exitCodes } = plan.input;
  const ended = commandOutcome(end, captured, { exitCodes, what: 'the container', more: { artifacts } });
  return { ...ended, imageId: state.imageId, artifacts };
}

async function leaveFiles(
  folder: JobFolder,
  ctx: CapabilityContext,
  maxBytes: number,
): Promise<readonly ContainerArtifact[]> {
  const files = leftFiles(folder, maxBytes);
  const names = artifactNames(files.map(({ path }) => path));
  const left: ContainerArtifact[] = [];
  for (const [at, { path, file }] of files.entries()) {
    const { name, bytes, sha256 } = await ctx.artifact(names[at] ?? path, { path: file });
    left.push({ path, name, bytes, sha256 });
  }
  return left;
}

/** Whatever happened: no container, no files, or a record and a word of warning. */
async function clear(
  folder: JobFolder,
  name: string,
  run: { readonly ctx: CapabilityContext; readonly containers: Containers },
): Promise<void> {
  const { ctx, containers } = run;
  const { engine } = containers.options;
  const cause = await removeContainer(engine, name);
  if (cause !== undefined) {
    ctx.log.warn('the container could not be removed; the next start of a runner tries again', {
      name,
      cause,
    });
    return;
  }
  if (!removeJobFolder(folder))
    ctx.log.warn('files of the container could not be removed', { folder: folder.path });
  containers.ledger.close(name);
}

async function runContainer(
  input: ContainerInput,
  ctx: CapabilityContext,
  containers: Containers,
): Promise<ContainerResult> {
  const { options, ledger } = containers;
  const { engine, envFile } = options;
  const allowed = containers.allow(input);
  const name = `controlplane-${randomUUID()}`;
  const folder = makeJobFolder(containers.root, input.files ?? []);
  ledger.open(name, folder.path);
  try {
    const variables = { ...input.env, ...ctx.secrets };
    const { passedOn } = layOutVariables(folder, variables);
    const plan: ContainerPlan = {
      name,
      input,
      allowed,
      inputFolder: folder.input,
      outputFolder: folder.output,
      envFiles: [...(envFile === undefined ? [] : [envFile]), folder.envFile],
      passedOn,
    };
    const env = Object.fromEntries(passedOn.map((variable) => [variable, variables[variable] ?? '']));
    return await runIn(folder, plan, { engine, ctx, env, options, termGraceMs: containers.termGraceMs });
  } finally {
    await clear(folder, name, { ctx, containers });
  }
}

function prepare(options: ContainerOptions): Containers {
  const { engine, termGraceMs = 2_000 } = options;
  if (termGraceMs < 0 || termGraceMs > MAX_TERM_GRACE_MS || termGraceMs % 1_000 !== 0)
    throw new RunnerError(
      'INVALID_OPTION',
      `termGraceMs is ${termGraceMs}; expected whole seconds in milliseconds, at most ${MAX_TERM_GRACE_MS}`,
    );
  const directory = containerLedgerDirectoryOf(options.stateDirectory);
  const ledger = createContainerLedger(directory, engine.path, (names, answerMs) =>
    removeLeftBehind(engine, names, answerMs),
  );
  return {
    options,
    allow: createPermissions(options),
    ledger,
    root: containerFolderOf(options.workDirectory),
    termGraceMs,
  };
}

/**
 * Makes a capability that runs containers. What a killed runner left is removed when this is called.
 * @param options - the engine, and what containers may be made of
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * const engine = await findEngine();
 * createRunner({ name: 'fleet', labels: engine.labels, capabilities: [container({ engine, images: ['ghcr.io/acme/*'] })] });
 */
export function container(options: ContainerOptions): ContainerCapability {
  const containers = prepare(options);
  return defineCapability({
    id: options.id ?? 'container.run',
    version: '1.0.0',
    description: `Runs a container with ${options.engine.kind}.`,
    input: ContainerInput,
    output: ContainerResult,
    effects: 'writes',
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    maxConcurrency: options.maxConcurrency,
    secrets: options.secrets ?? [],
    execute: (input, ctx) => runContainer(input, ctx as CapabilityContext, containers),
  });
}
