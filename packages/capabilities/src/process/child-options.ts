import { RunnerError } from '@controlplane/runner-sdk';
import { checkPassedOn } from './child-environment.js';
import { ledgerDirectoryOf } from './options.js';
import { createProcessLedger, type ProcessLedger } from './process-ledger.js';
import { ResourceLimits } from './resource-limits.js';
import type { RunAs } from './run-process.js';

/** How a capability treats the programs that it starts; everything has a default. */
export interface ChildOptions {
  /** Names of the runner's environment variables that programs are given, beside PATH, HOME, LANG and the like. Default: none. */
  readonly environment?: readonly string[] | undefined;
  /** User and group that programs run as: the runner must be root. Default: as the runner. */
  readonly runAs?: RunAs | undefined;
  /** The most that a program may use. Default: no limit. */
  readonly limits?: ResourceLimits | undefined;
  /** Milliseconds that programs get between SIGTERM and SIGKILL, at most 4,000. Default: 2,000. */
  readonly termGraceMs?: number | undefined;
  /**
   * Folder in whose `processes` it is written down what runs, so that the next start ends what a killed runner left
   * behind. Environment: `RUNNER_STATE_DIR`. Default: a folder of this user among the temporary files.
   */
  readonly stateDirectory?: string | undefined;
}

/** What is said at the start of a runner whose programs could read what is its own. */
export const SAME_USER =
  "its programs run as the runner's user: none is given the runner's credentials, but each can read that user's files, the runner's state directory among them, and in /proc the variables that the runner was started with; set runAs to another user to prevent it";

/** {@link ChildOptions}, checked and with every default filled. */
export interface ChildSettings {
  readonly environment: readonly string[];
  readonly runAs: RunAs | undefined;
  readonly limits: ResourceLimits;
  readonly termGraceMs: number;
  readonly ledger: ProcessLedger;
}

/** Below the five seconds after which the SDK gives up a handler whose time is over. */
const MAX_TERM_GRACE_MS = 4_000;

const invalid = (message: string): RunnerError => new RunnerError('INVALID_OPTION', message);

function checkRunAs(runAs: RunAs | undefined): void {
  if (!runAs) return;
  if (![runAs.uid, runAs.gid].every((id) => Number.isInteger(id) && id >= 0))
    throw invalid(`runAs is ${JSON.stringify(runAs)}; expected { uid, gid }, both whole numbers`);
  if (process.getuid?.() !== 0 && runAs.uid !== process.getuid?.())
    throw invalid(`runAs.uid is ${runAs.uid}, and only root may run programs as another user`);
}

/**
 * Checks the options, and ends what a killed runner left behind.
 * @throws RunnerError `INVALID_OPTION`
 */
export function childSettings(options: ChildOptions): ChildSettings {
  if (process.platform === 'win32')
    throw invalid('programs are ended as process groups, which Windows does not have; use WSL');
  const { environment = [], termGraceMs = 2_000, runAs } = options;
  checkPassedOn(environment);
  checkRunAs(runAs);
  if (!Number.isInteger(termGraceMs) || termGraceMs < 0 || termGraceMs > MAX_TERM_GRACE_MS)
    throw invalid(
      `termGraceMs is ${termGraceMs}; expected whole milliseconds from 0 to ${MAX_TERM_GRACE_MS}`,
    );
  const limits = ResourceLimits.safeParse(options.limits ?? {});
  if (!limits.success)
    throw invalid(
      `limits: ${limits.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`,
    );
  const ledger = createProcessLedger(ledgerDirectoryOf(options.stateDirectory));
  return { environment, runAs, limits: limits.data, termGraceMs, ledger };
}
