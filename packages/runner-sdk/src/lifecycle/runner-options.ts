import type { Capability } from '../capability/capability.js';
import type { Middleware } from '../capability/middleware.js';
import type { DeliveryKind } from '../hosts/control-plane/control-plane.js';
import type { CredentialSource } from '../hosts/credential-source.js';
import type { Host } from '../hosts/host.js';
import type { OnMetric } from '../observability/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import type { Clock } from '../util/clock.js';
import type { Logger, LoggerLevel } from '../util/logger.js';
import type { HealthCheckFunction } from './health.js';

/** How work reaches the runner. */
export interface PushDeliveryChoice {
  readonly kind: 'push';
  /**
   * Path under which an existing application mounts `runner.router()`, such as `/runner`. Set, the runner does
   * not listen: the application does.
   */
  readonly mountAt?: string | undefined;
}

/** What {@link createRunner} is told. What is left out comes from the environment, then from the default. */
export interface RunnerOptions {
  /** Name of the runner, 1–128 characters. Environment: `RUNNER_NAME`. Required in one of the two. */
  readonly name?: string | undefined;
  /** Version of the program that runs. Environment: `RUNNER_VERSION`. Default: `0.0.0`. */
  readonly version?: string | undefined;
  /** What the runner can do; at least one. */
  readonly capabilities: readonly Capability[];
  /** URL of the control plane. Environment: `JOBFORGE_URL`. Default: `http://127.0.0.1:3002`. */
  readonly controlPlaneUrl?: string | undefined;
  /**
   * Port to listen on; 0 takes a free one. Environment: `PORT`. Default: 3000 with push; with the other deliveries the
   * runner listens only when it is told a port.
   */
  readonly port?: number | undefined;
  /** Address to listen on. Environment: `HOST` (in a container `0.0.0.0`). Default: `127.0.0.1`. */
  readonly host?: string | undefined;
  /**
   * URL by which the control plane reaches this server. Environment: `RUNNER_PUBLIC_URL`. Default: derived from
   * address and port. `mountAt` is added to it.
   */
  readonly publicUrl?: string | undefined;
  /**
   * How work arrives: `push`, with a server of the runner's own; `websocket` or `long-poll`, which the runner opens
   * and no server is needed for; `auto` for the WebSocket, and polls where it is blocked on the way. Environment:
   * `RUNNER_DELIVERY`. Default: `push`.
   */
  readonly delivery?: DeliveryKind | PushDeliveryChoice | undefined;
  /**
   * What the runner proves itself with: an enrollment token or a runner secret, or the file or function that it comes
   * from. Environment: `RUNNER_TOKEN`, `RUNNER_TOKEN_FILE`. Default: none.
   */
  readonly credential?: CredentialSource | undefined;
  /**
   * Folder for what must outlive the process: machine id, runner secret, and results that the control plane has not
   * acknowledged. It belongs to one runner. Environment: `RUNNER_STATE_DIR`. Default: none.
   */
  readonly stateDirectory?: string | undefined;
  /**
   * Who sends work: several at once share the runner's slots. Default: one control plane, made from
   * `controlPlaneUrl` and `delivery`.
   */
  readonly hosts?: readonly Host[] | undefined;
  /** Executions that run at once, over all capabilities. Environment: `RUNNER_MAX_CONCURRENCY`. Default: 10. */
  readonly maxConcurrency?: number | undefined;
  /** Words that jobs can ask for. Environment: `RUNNER_LABELS` (`region=eu,gpu=yes`). Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Environment: `RUNNER_TAGS` (`a,b`). Default: none. */
  readonly tags?: readonly string[] | undefined;
  /** Identity of this machine, kept across restarts. Environment: `RUNNER_MACHINE_ID`. Default: none with push, else kept in the state directory or the name of the host. */
  readonly machineId?: string | undefined;
  /** The build that runs, such as a commit. Environment: `RUNNER_BUILD_ID`. Default: none. */
  readonly buildId?: string | undefined;
  /** Stands around every handler, the first outermost. Default: none. */
  readonly use?: readonly Middleware[] | undefined;
  /** Things that `/health` looks at, by name. Default: none. */
  readonly healthChecks?: Readonly<Record<string, HealthCheckFunction>> | undefined;
  /** Milliseconds that running executions get to finish in when the runner stops. Environment: `RUNNER_DRAIN_MS`. Default: 25,000. */
  readonly drainMs?: number | undefined;
  /**
   * Drain and stop after so many executions. The last of them may take as long as they like, unless the runner is
   * stopped in another way meanwhile. Environment: `RUNNER_MAX_JOBS`. Default: none.
   */
  readonly maxJobs?: number | undefined;
  /** Drain and stop when nothing has run for so many milliseconds. Environment: `RUNNER_IDLE_TIMEOUT_MS`. Default: none. */
  readonly idleTimeoutMs?: number | undefined;
  /** Drain and stop after so many milliseconds. Environment: `RUNNER_MAX_UPTIME_MS`. Default: none. */
  readonly maxUptimeMs?: number | undefined;
  /** Milliseconds between telling a handler to stop and giving it up. Environment: `RUNNER_CANCEL_GRACE_MS`. Default: 10,000. */
  readonly cancelGraceMs?: number | undefined;
  /** Bytes of log that one execution may send; the rest is counted. Environment: `RUNNER_MAX_LOG_BYTES`. Default: 1 MB. */
  readonly maxLogBytes?: number | undefined;
  /** Bytes of one request. Environment: `RUNNER_MAX_BODY_BYTES`. Default: 4 MB. */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Whether the process is the runner's own: SIGTERM, SIGINT and SIGHUP drain it and end the process, and so does a
   * refusal for good, with an exit code of its own. Default: true, false when the runner is mounted.
   */
  readonly handleSignals?: boolean | undefined;
  /** Any pino-compatible logger; `false` for none. Default: JSON lines on standard error. */
  readonly logger?: Logger | false | undefined;
  /** Least level of the default logger. Environment: `LOG_LEVEL`. Default: `info`. */
  readonly logLevel?: LoggerLevel | undefined;
  /**
   * A thread that sends the heartbeats while the event loop is blocked, so that a handler that computes for long keeps
   * its lease. It takes about 9 MB. Default: true; never with a `fetch` or `clock` of one's own, which a thread cannot use.
   */
  readonly watchdog?: boolean | undefined;
  /** Makes a span of each execution: `openTelemetry()` of `@controlplane/runner-sdk/opentelemetry`. Default: none. */
  readonly tracing?: Tracing | undefined;
  /** Called with each measurement as it is made; what it throws is logged once. Default: nothing is measured. */
  readonly onMetric?: OnMetric | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Where time comes from; for tests. */
  readonly clock?: Clock | undefined;
  /** A number in [0, 1), for jitter; for tests. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}
