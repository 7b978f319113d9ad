import { randomUUID } from 'node:crypto';
import {
  defineCapability,
  RunnerError,
  type Capability,
  type CapabilityContext,
} from '@controlplane/runner-sdk';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { childSettings, SAME_USER, type ChildOptions, type ChildSettings } from '../process/child-options.js';
import { commandOutcome, createCaptured } from '../process/command-outcome.js';
import { stateDirectoryOf } from '../process/options.js';
import { stricterLimits, withLimits } from '../process/resource-limits.js';
import { runProcess } from '../process/run-process.js';
import { createAllowedFolders } from './allowed-folders.js';
import { prepareFull } from './full-command.js';
import type { PreparedCommand } from './prepared-command.js';
import { prepareReadonly } from './readonly-command.js';
import { ShellInput, ShellResult } from './shell-input.js';

/** Bytes that are kept of each stream for the result. */
const MAX_OUTPUT_BYTES = 50 * 1024;

/** What {@link shell} is told; everything but the profile has a default. */
export interface ShellOptions extends ChildOptions {
  /**
   * `readonly`: programs that only look, with arguments that are checked, in the folders of `allow`. `full`: any
   * program and any line for the shell, with all that the runner's user may do.
   */
  readonly profile: 'readonly' | 'full';
  /** With `readonly`: the folders that may be read. Default: none. */
  readonly allow?: readonly string[] | undefined;
  /** Default: `shell.readonly` or `shell.full`. */
  readonly id?: string | undefined;
  /** With `full`: folder that commands run in. Default: the runner's. */
  readonly cwd?: string | undefined;
  /** With `full`: the shell that runs lines. Default: `/bin/sh`. */
  readonly shell?: string | undefined;
  /** With `full`: names of secrets that each command is given as variables of the same name. Default: none. */
  readonly secrets?: readonly string[] | undefined;
  /** Milliseconds that a command may take where the sender names no limit. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Commands that run at once. Default: as many as the runner takes. */
  readonly maxConcurrency?: number | undefined;
  /** Bytes of standard output, and of standard error, that are kept for the result: the first and the last half. Default: 50 KB. */
  readonly maxOutputBytes?: number | undefined;
}

/** The capability that {@link shell} makes. */
export type ShellCapability = Capability<
  StandardSchemaV1<ShellInput, ShellInput>,
  StandardSchemaV1<ShellResult, ShellResult>
>;

type Prepare = (input: ShellInput, secrets: Readonly<Record<string, string>>) => Promise<PreparedCommand>;

function preparing(options: ShellOptions): Prepare {
  const { profile, allow = [], environment = [], secrets = [] } = options;
  if (profile === 'full') {
    const full = { cwd: options.cwd ?? process.cwd(), shell: options.shell ?? '/bin/sh', environment };
    return (input, given) => prepareFull(input, full, given);
  }
  if (profile !== 'readonly')
    throw new RunnerError(
      'INVALID_OPTION',
      `profile is ${JSON.stringify(profile)}; expected "readonly" or "full"`,
    );
  if (environment.length > 0 || secrets.length > 0)
    throw new RunnerError(
      'INVALID_OPTION',
      'the profile "readonly" gives programs neither environment nor secrets',
    );
  const state = stateDirectoryOf(options.stateDirectory);
  const allowed = createAllowedFolders(allow, state === undefined ? [] : [state]);
  return (input) => prepareReadonly(input, allowed);
}

interface Running {
  readonly settings: ChildSettings;
  readonly prepare: Prepare;
  readonly maxOutputBytes: number;
}

async function runCommand(input: ShellInput, ctx: CapabilityContext, running: Running): Promise<ShellResult> {
  const { settings, maxOutputBytes } = running;
  const command = await running.prepare(input, ctx.secrets);
  const captured = createCaptured(maxOutputBytes, Object.values(ctx.secrets));
  try {
    const end = await runProcess({
      argv: withLimits(command.argv, stricterLimits(settings.limits, input.limits ?? {})),
      cwd: command.cwd,
      env: command.env,
      stdin: input.stdin,
      extraFds: command.extraFds,
      runAs: settings.runAs,
      signal: ctx.signal,
      termGraceMs: settings.termGraceMs,
      ledger: settings.ledger,
      mark: randomUUID(),
      onOutput(stream, chunk) {
        captured[stream].write(chunk);
        ctx.output(stream, chunk);
      },
    });
    if (!ctx.signal.aborted)
      return commandOutcome(end, captured, { exitCodes: input.exitCodes, what: 'the command' });
    // The outcome says why it was stopped; how it ended is for the log.
    ctx.log.warn('the command was stopped', { ...end });
    throw ctx.signal.reason;
  } finally {
    command.dispose();
  }
}

/**
 * Makes a capability that runs commands. What a killed runner left running is ended when this is called.
 * @param options - the profile, and what commands are given
 * @throws RunnerError `INVALID_OPTION`
 *
 * @example
 * createRunner({ name: 'ops', capabilities: [shell({ profile: 'readonly', allow: ['/var/log'] })] });
 */
export function shell(options: ShellOptions): ShellCapability {
  const { profile, maxOutputBytes = MAX_OUTPUT_BYTES } = options;
  const running: Running = { prepare: preparing(options), settings: childSettings(options), maxOutputBytes };
  return defineCapability({
    id: options.id ?? `shell.${profile}`,
    version: '1.0.0',
    description:
      profile === 'full'
        ? 'Runs a program or a line for the shell, with all that the runner may do.'
        : 'Looks at files of allowed folders and at the state of the machine; changes nothing.',
    input: ShellInput,
    output: ShellResult,
    effects: profile === 'full' ? 'writes' : 'none',
    timeoutMs: options.timeoutMs,
    maxConcurrency: options.maxConcurrency,
    secrets: options.secrets ?? [],
    startWarning: profile === 'full' && !options.runAs ? SAME_USER : undefined,
    execute: (input, ctx) => runCommand(input, ctx as CapabilityContext, running),
  });
}
