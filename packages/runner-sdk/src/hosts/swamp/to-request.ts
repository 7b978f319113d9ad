import { isSecretName } from '@controlplane/contracts';
import {
  SWAMP_PROTOCOL_VERSION,
  SWAMP_SHELL,
  SwampShellArguments,
  type SwampDispatch,
} from '@controlplane/contracts/swamp';
import type { ExecutionRequest } from '../../execution/execute.js';
import { MAX_TIMER_MS } from '../../util/clock.js';
import { sayThrown } from '../../util/safe-json.js';
import type { CommandLine } from '../command-line.js';

/** What belongs to the machine that a command runs on, not to the one that sends it. */
const OWN =
  /^(HOME|USER|USERNAME|USERPROFILE|LOGNAME|SHELL|PATH|PWD|TMPDIR|TEMP|TMP|HOSTNAME|TERM|LD_.*|NODE_OPTIONS|XDG_.*|DENO_.*|SWAMP_.*)$/;

/** A dispatch that a runner of command lines can run. */
export interface ShellDispatch {
  readonly dispatch: SwampDispatch;
  readonly args: SwampShellArguments;
}

/** Why it cannot run one: a code of the protocol where that has one, else a result that says so. */
export interface Unfit {
  readonly code: 'protocol_mismatch' | undefined;
  readonly message: string;
}

/** Looks whether a dispatch is a line for the shell. */
export function readDispatch(dispatch: SwampDispatch): ShellDispatch | Unfit {
  const { protocolVersion, modelType, methodName, globalArgs, methodArgs } = dispatch.execution;
  if (protocolVersion !== SWAMP_PROTOCOL_VERSION)
    return {
      code: 'protocol_mismatch',
      message: `this runner speaks protocol version ${SWAMP_PROTOCOL_VERSION}, the dispatch is of ${protocolVersion}`,
    };
  if (modelType !== SWAMP_SHELL.modelType || methodName !== SWAMP_SHELL.methodName)
    return {
      code: undefined,
      message: `this runner is not swamp's own: it runs ${SWAMP_SHELL.modelType} ${SWAMP_SHELL.methodName}, and not ${modelType} ${methodName}, whose program is a bundle for swamp. Keep such steps on swamp's own runners by a label`,
    };
  const args = SwampShellArguments.safeParse({ ...globalArgs, ...methodArgs });
  if (args.success) return { dispatch, args: args.data };
  return {
    code: undefined,
    message: `the arguments of ${modelType} cannot be used: ${sayThrown(args.error)}`,
  };
}

/** The variables of the control plane that a command is given. */
export function passedOn(
  snapshot: Readonly<Record<string, string>>,
  isPassed: (name: string) => boolean = (name) => !isSecretName(name) && !/key|pwd/i.test(name),
): Record<string, string> {
  const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  return Object.fromEntries(
    Object.entries(snapshot).filter(([name]) => isName(name) && !OWN.test(name) && isPassed(name)),
  );
}

/** What a command of a dispatch is made with. */
export interface ToRequestOptions {
  /** Unique over all hosts of the runner. */
  readonly executionId: string;
  readonly line: CommandLine;
  readonly passEnvironment: ((name: string) => boolean) | undefined;
}

/**
 * A dispatch as an execution.
 * @throws RunnerError `INVALID_OPTION` for a line that the capability cannot be given
 */
export function toRequest({ dispatch, args }: ShellDispatch, options: ToRequestOptions): ExecutionRequest {
  const { executionId, line, passEnvironment } = options;
  const payload = line.payload(args.run);
  const more =
    line.isShell && !line.isReadonly
      ? { env: { ...passedOn(dispatch.environmentSnapshot, passEnvironment), ...args.env } }
      : {};
  const hidden = (dispatch.secretValues ?? []).map(
    (value, index) => [`SWAMP_SECRET_${index}`, value] as const,
  );
  return {
    jobId: executionId,
    executionId,
    attempt: 1,
    moduleId: 'swamp',
    capabilityId: line.capabilityId,
    payload: {
      ...payload,
      ...more,
      ...(line.isShell && args.workingDir !== undefined ? { cwd: args.workingDir } : {}),
    },
    // A dispatch has no limit of its own: 24.8 days.
    timeoutMs: Math.min(args.timeout ?? MAX_TIMER_MS, MAX_TIMER_MS),
    metadata: {},
    // Named by no capability: no command is given them, and whatever is said has them replaced.
    ...(hidden.length === 0 ? {} : { secrets: Object.fromEntries(hidden) }),
  };
}
