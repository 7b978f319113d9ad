/**
 * @module
 * errors/ holds the one error that this command throws on purpose. Imports nothing.
 */

/** How the command ends. Documented in `--help`. */
export const EXIT = { done: 0, failed: 1, usage: 2, conflicts: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface CreateRunnerErrorOptions extends ErrorOptions {
  /** Default: 1, could not create. */
  readonly exitCode?: ExitCode;
  /** The flag that would have prevented it, such as `--name`. */
  readonly flag?: string;
}

/** What a person can mend: its message says what failed, with which value, and what to do. */
export class CreateRunnerError extends Error {
  override readonly name = 'CreateRunnerError';
  readonly exitCode: ExitCode;
  readonly flag: string | undefined;

  constructor(message: string, options: CreateRunnerErrorOptions = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.flag = options.flag;
  }
}

/** A command line that cannot be followed. Exit code 2. */
export function usageError(message: string, flag?: string): CreateRunnerError {
  return new CreateRunnerError(message, { exitCode: EXIT.usage, ...(flag === undefined ? {} : { flag }) });
}
