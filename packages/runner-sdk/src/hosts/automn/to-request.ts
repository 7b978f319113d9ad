import { createHash } from 'node:crypto';
import { Identifier, type RunnerManifest } from '@controlplane/contracts';
import type { AutomnRun } from '@controlplane/contracts/automn';
import { RunnerError } from '../../errors/runner-error.js';
import type { ExecutionRequest } from '../../execution/execute.js';
import { MAX_TIMER_MS } from '../../util/clock.js';
import type { ResolvedAutomnOptions } from './options.js';
import { languageOf, packagesOf } from './script-language.js';
import { inputVariables, withPrelude } from './script-prelude.js';

/** The capability that runs the scripts. */
export interface ScriptLine {
  readonly capabilityId: string;
  /** Whether its result is that of `script` of `@controlplane/capabilities`. */
  readonly isScript: boolean;
  /** @throws RunnerError `INVALID_OPTION` for a script that such a capability cannot be given */
  payload(run: AutomnRun, runId: string): Record<string, unknown>;
}

/** Automn has a place for every exit code: none of them is a failure to run the script. */
const exitCodes = Array.from({ length: 256 }, (_, code) => code);

/** What the script is given: as Automn's own runner, an object where there is nothing. */
export const inputOf = ({ reqBody }: Pick<AutomnRun, 'reqBody'>): unknown => reqBody || {};

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);

function scriptPayload({ script, reqBody }: AutomnRun, runId: string): Record<string, unknown> {
  const { code = '', variables } = script;
  const language = languageOf(script.language);
  if (language === undefined || !code)
    throw new RunnerError(
      'INVALID_OPTION',
      `Unsupported language${code ? `: ${JSON.stringify(script.language ?? null)}; this runner takes node, python, shell and powershell` : ': the script has no code'}`,
    );
  const named = (variables ?? []).flatMap(({ envName, value }) =>
    envName ? [[envName, asText(value)]] : [],
  );
  const input = inputOf({ reqBody });
  const packages = language === 'node' ? packagesOf(code) : [];
  return {
    language,
    code: withPrelude(language, code),
    input,
    exitCodes,
    variables: {
      ...(Object.fromEntries(named) as Record<string, string>),
      AUTOMN_RUN_ID: runId,
      ...inputVariables(JSON.stringify(input)),
    },
    ...(packages.length === 0 ? {} : { dependencies: packages }),
  };
}

const DEFAULT_CAPABILITY = 'script.run';

/**
 * Settles which capability of a runner runs the scripts.
 * @throws RunnerError `INVALID_OPTION` where the runner has none
 */
export function scriptLineOf(
  manifest: RunnerManifest,
  { capability = DEFAULT_CAPABILITY, payload }: Pick<ResolvedAutomnOptions, 'capability' | 'payload'>,
): ScriptLine {
  if (!manifest.capabilities.some(({ id }) => id === capability))
    throw new RunnerError(
      'INVALID_OPTION',
      `host "automn" sends scripts, and this runner has no capability ${capability}: add script() of @controlplane/capabilities/script, or name another by the host's option "capability"`,
    );
  return { capabilityId: capability, isScript: payload === undefined, payload: payload ?? scriptPayload };
}

/** As it is where it may stand in an id; else what is the same for the same. */
const inId = (runId: string): string =>
  Identifier.safeParse(runId).success && runId.length <= 100
    ? runId
    : createHash('sha256').update(runId).digest('hex');

/**
 * A job of Automn as an execution.
 * @param given - the job's id, and what makes it unique over all hosts of the runner
 * @throws RunnerError `INVALID_OPTION` for a script that the capability cannot be given
 */
export function toRequest(
  run: AutomnRun,
  line: ScriptLine,
  given: { readonly runId: string; readonly prefix: string },
): ExecutionRequest {
  const executionId = `${given.prefix}.${inId(given.runId)}`;
  const seconds = run.script.timeout;
  return {
    jobId: executionId,
    executionId,
    attempt: 1,
    moduleId: 'automn',
    capabilityId: line.capabilityId,
    payload: line.payload(run, given.runId),
    // What Automn calls no limit: 24.8 days.
    timeoutMs: seconds > 0 ? Math.min(Math.ceil(seconds * 1000), MAX_TIMER_MS) : MAX_TIMER_MS,
    metadata: {},
  };
}
