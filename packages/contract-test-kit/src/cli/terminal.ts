/** Where a command writes, and the environment that it runs in. */
export interface Terminal {
  /** Writes to stdout: reports and answers, nothing else. */
  readonly out: (text: string) => void;
  /** Writes to stderr. */
  readonly err: (text: string) => void;
  /** Shows how far a run is, on one line of stderr; absent where nobody watches. */
  readonly progress?: ((text: string) => void) | undefined;
  readonly color: boolean;
  /** Folder that the command was given in: its configuration is looked for there, and written there. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}
