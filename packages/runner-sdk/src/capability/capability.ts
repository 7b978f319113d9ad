/**
 * @module
 * What a runner can do: capabilities as plain values, the registry that holds them, and the manifest that
 * describes them. Knows nothing of wires. Imports errors and util; never transport, hosts or lifecycle.
 */
import type { Effects, RateLimit } from '@controlplane/contracts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { CapabilityContext } from './capability-context.js';
import type { Isolation, IsolationKind } from './isolation.js';
import type { Middleware } from './middleware.js';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a handler may return: the output schema's input, or anything where there is no output schema. */
export type CapabilityResult<Output> = Output extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<Output>
  : unknown;

/** The context of a handler: its checkpoints are what the checkpoint schema says, or anything without one. */
export type ContextOf<Checkpoint, Secret extends string = string> = Checkpoint extends StandardSchemaV1
  ? CapabilityContext<
      StandardSchemaV1.InferOutput<Checkpoint>,
      StandardSchemaV1.InferInput<Checkpoint>,
      Secret
    >
  : CapabilityContext<unknown, unknown, Secret>;

/** What `defineCapability` is told. */
export interface CapabilityDefinition<
  Input extends StandardSchemaV1,
  Output extends StandardSchemaV1 | undefined = undefined,
  Checkpoint extends StandardSchemaV1 | undefined = undefined,
  Secret extends string = string,
> {
  /** 1–128 characters of `A-Z a-z 0-9 . _ : -`; by custom `noun.verb`. */
  readonly id: string;
  /** Version of this capability, such as `1.2.0`. */
  readonly version: string;
  /** Shown to people. Default: the id. */
  readonly name?: string | undefined;
  /** One sentence that says what it does. */
  readonly description: string;
  /** Schema of the input, of any library that speaks Standard Schema. The handler is given what it parses to. */
  readonly input: Input;
  /** Schema of the result. Without one, the result is not checked. */
  readonly output?: Output | undefined;
  /** Schema of its checkpoints. Without one they may be any JSON. */
  readonly checkpoint?: Checkpoint | undefined;
  /** JSON Schema of the input; needed only where the library cannot make one (Valibot). Default: made from `input`. */
  readonly inputJsonSchema?: JsonSchema | undefined;
  /** JSON Schema of the result; see `inputJsonSchema`. Default: made from `output`. */
  readonly outputJsonSchema?: JsonSchema | undefined;
  /**
   * What running it twice would do: `none` reads only, `idempotent` may be repeated, `writes` must not be.
   * Decides what happens to a job whose runner is lost. Default: `idempotent`.
   */
  readonly effects?: Effects | undefined;
  /**
   * With effects `writes`: every execution calls `ctx.willWrite()` before it first writes. A job whose runner is
   * lost before that is offered again; without the announcement it counts as writing from its acceptance on.
   * Default: false.
   */
  readonly announcesWrites?: boolean | undefined;
  /** Milliseconds that an execution may take where the sender names no limit. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** The most that `ctx.extend` may make of the time limit. Default: an hour more than the limit it began with. */
  readonly maxTimeoutMs?: number | undefined;
  /**
   * Milliseconds without a log line, progress, output or checkpoint after which an execution counts as stuck and ends
   * as timed out. Default: none.
   */
  readonly idleTimeoutMs?: number | undefined;
  /** Executions that may run at once. Default: as many as the runner takes. */
  readonly maxConcurrency?: number | undefined;
  /**
   * How many of its executions may begin in a time, over all runners of a control plane that keeps to it, such as
   * `{ limit: 10, intervalMs: 60_000 }`; what was not used is saved up to `limit`. Default: no limit.
   */
  readonly rateLimit?: RateLimit | undefined;
  /** Job types that it serves beside its own id. Default: none. */
  readonly jobTypes?: readonly string[] | undefined;
  /**
   * Names of the secrets that its handler needs, as `ctx.secrets`: the control plane sends their values with each
   * execution. Without one of them it does not run. Default: none.
   */
  readonly secrets?: readonly Secret[] | undefined;
  /**
   * Where the handler runs. In a `thread` or `process` of its own it is stopped by force when it does not stop by
   * itself, even in an endless loop, and its crash is a failed execution. The process has a scrubbed environment.
   * Default: `none`, with the runner.
   */
  readonly isolation?: IsolationKind | undefined;
  /** The file that defines this capability, loaded once more where it is isolated: `import.meta.url`, or `__filename`. */
  readonly module?: string | URL | undefined;
  /** Names of environment variables that a process of its own is given, beside PATH and the like. Default: none. */
  readonly environment?: readonly string[] | undefined;
  /** What whoever runs it should know, such as what it lays open: logged as a warning when its runner starts. Default: none. */
  readonly startWarning?: string | undefined;
  /** Stands around the handler, the first outermost, within the runner's own `use`. Default: none. */
  readonly use?: readonly Middleware[] | undefined;
  /**
   * Does the work. Returns the result or throws; a `CapabilityError` says which code and whether to retry,
   * anything else becomes a retryable `EXECUTION_FAILED`.
   */
  execute(
    input: StandardSchemaV1.InferOutput<Input>,
    ctx: ContextOf<Checkpoint, Secret>,
  ): Promise<CapabilityResult<Output>> | CapabilityResult<Output>;
}

/** A capability, ready to be given to a runner. Made by `defineCapability`. */
export interface Capability<
  Input extends StandardSchemaV1 = StandardSchemaV1,
  Output extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  Checkpoint extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly checkpoint: Checkpoint;
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
  readonly effects: Effects;
  readonly announcesWrites: boolean;
  readonly timeoutMs: number;
  readonly maxTimeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly maxConcurrency: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly jobTypes: readonly string[];
  readonly secrets: readonly string[];
  /** Logged when its runner starts. */
  readonly startWarning: string | undefined;
  /** Where its handler runs; undefined with the runner. */
  readonly isolated: Isolation | undefined;
  execute(
    input: StandardSchemaV1.InferOutput<Input>,
    ctx: ContextOf<Checkpoint>,
  ): Promise<CapabilityResult<Output>> | CapabilityResult<Output>;
}
