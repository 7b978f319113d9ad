/** What the command has of its process. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  /** Of this package. */
  readonly version: string;
  readonly fetch: typeof globalThis.fetch;
  /** Writes a line to standard output. */
  readonly write: (text: string) => void;
  /** Writes a line to standard error. */
  readonly writeError: (text: string) => void;
}

/** What the command ends with; a runner that was refused for good ends with the code of the refusal, 64 to 73. */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2 } as const;
