/** A command that may run, with everything that it needs. */
export interface PreparedCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Open files that it is handed from descriptor 3 on. */
  readonly extraFds: readonly number[];
  /** Closes our side of the open files. */
  dispose(): void;
}
