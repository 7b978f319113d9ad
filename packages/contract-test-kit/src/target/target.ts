/**
 * @module
 * What is judged: a command that the kit starts and stops, or a runner that runs already.
 */

/** A command that starts a runner; the kit starts it as often as cases need. */
export interface CommandTarget {
  readonly kind: 'command';
  readonly command: string;
  readonly cwd?: string | undefined;
  /** Added to the environment that the runner gets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A runner that runs already. */
export interface UrlTarget {
  readonly kind: 'url';
  readonly url: string;
  /**
   * Port of 127.0.0.1 where the kit's control plane listens, when the runner has been given
   * `JOBFORGE_URL=http://127.0.0.1:<port>`. Without it what the runner sends is not judged.
   */
  readonly controlPlanePort?: number | undefined;
}

/** A control plane that runs: the kit plays runners and clients. */
export interface ControlPlaneTarget {
  readonly kind: 'control-plane';
  readonly url: string;
  /** A token that may do everything there. Default: none is asked for. */
  readonly token?: string | undefined;
}

/** What can be judged as a runner. */
export type RunnerTarget = CommandTarget | UrlTarget;

/** What can be judged. */
export type Target = RunnerTarget | ControlPlaneTarget;
