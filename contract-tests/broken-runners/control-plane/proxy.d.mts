/** Starts a proxy that breaks one requirement, on a port of its own. */
export function startBreakingProxy(options: {
  readonly target: string;
  readonly breaks: string;
  /** What it proves itself with where it lets in whoever has none. */
  readonly token: string;
}): Promise<{ readonly url: string; close(): Promise<void> }>;
