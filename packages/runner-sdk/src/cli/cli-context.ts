/**
 * @module
 * The command `runner-sdk`. It starts in containers every few seconds: imports Node alone, nothing of this package
 * outside this room and nothing installed.
 */

/** What a command has of its process. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly write: (line: string) => void;
  readonly writeError: (line: string) => void;
}

/** How a command ends. */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2, unreachable: 4 } as const;
