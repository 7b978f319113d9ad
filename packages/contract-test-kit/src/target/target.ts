/**
 * @module
 * What is judged: a command or a container image that the kit starts and stops, or a runner that runs already.
 */

/** A command that starts a runner; the kit starts it as often as cases need. */
export interface CommandTarget {
  readonly kind: 'command';
  readonly command: string;
  readonly cwd?: string | undefined;
  /** Added to the environment that the runner gets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A container image that holds a runner; podman or docker starts it as often as cases need. */
export interface ImageTarget {
  readonly kind: 'image';
  /** Its name as podman and docker know it. It is pulled where neither has it. */
  readonly image: string;
  /**
   * `host`: the container shares this machine's network. `bridge`: it has a network of its own, and its port is
   * published at 127.0.0.1. Default: host on Linux, where containers run on the machine itself; else bridge.
   */
  readonly network?: ContainerNetwork | undefined;
  /** Added to the variables that the runner gets. Nothing of the kit's own environment reaches it. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** The network that a container gets. */
export type ContainerNetwork = 'host' | 'bridge';

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
export type RunnerTarget = StartedTarget | UrlTarget;

/** A runner that the kit starts and stops. */
export type StartedTarget = CommandTarget | ImageTarget;

/** Whether the kit holds the runner's process. */
export const isStarted = (target: Target): target is StartedTarget =>
  target.kind === 'command' || target.kind === 'image';

/** What can be judged. */
export type Target = RunnerTarget | ControlPlaneTarget;

/** The variables that a runner is given beside those of the kit. */
export const givenVariables = (target: Target): Readonly<Record<string, string>> =>
  (isStarted(target) ? target.env : undefined) ?? {};
