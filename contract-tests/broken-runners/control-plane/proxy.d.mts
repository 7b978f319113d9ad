/** Starts a proxy that breaks one requirement, on a port of its own. */
export function startBreakingProxy(options: {
  readonly target: string;
  readonly breaks: string;
  /** What it proves itself with where it lets in whoever has none. */
  readonly token: string;
  /** Breaks `control-plane.fails-lost-writes` by its second half: the job fails, and is offered again. */
  readonly offersAgain?: boolean;
}): Promise<{ readonly url: string; close(): Promise<void> }>;
