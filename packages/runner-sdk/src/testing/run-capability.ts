/**
 * @module
 * What a test of a capability needs: one run of it through the real executor, without a runner, a server or a
 * wire. Like lifecycle it joins: it may import capability, execution, errors and util.
 */
import { randomUUID } from 'node:crypto';
import {
  envelopeOf,
  isTerminalEvent,
  type Artifact,
  type CancelReason,
  type CheckpointEvent,
  type ErrorEnvelope,
  type ExecutionEvent,
  type JsonObject,
  type LogEvent,
  type ProgressEvent,
  type TerminalEvent,
} from '@controlplane/contracts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import { RunnerError } from '../errors/runner-error.js';
import { createSlots } from '../execution/admission.js';
import type { ExecutionRequest, FileCarrier } from '../execution/execute.js';
import { createExecutor } from '../execution/executor.js';
import { keepBrought, type BroughtFiles, type KeptBytes } from '../util/brought-files.js';
import { systemClock, type Clock } from '../util/clock.js';
import { readWhole } from '../util/read-whole.js';
import { sayThrown } from '../util/safe-json.js';

/** How {@link runCapability} runs a capability; everything has a default. */
export interface RunCapabilityOptions {
  /** Cancels the execution when aborted. Its reason becomes the outcome's when it is an `ExecutionCancelled`, else it is `user`. */
  readonly signal?: AbortSignal | undefined;
  /** Which attempt the handler is told that it is. Default: 1. */
  readonly attempt?: number | undefined;
  /** What an earlier attempt is said to have left: the handler's `ctx.lastCheckpoint`. Default: none. */
  readonly checkpoint?: unknown;
  /** Milliseconds after which it ends with `EXECUTION_TIMEOUT`. Default: the capability's own. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds after which a handler that ignores its signal is given up. Default: 10,000. */
  readonly cancelGraceMs?: number | undefined;
  /** Where time comes from; a virtual clock must be moved for the run to end. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** What the sender attached. Default: nothing. */
  readonly metadata?: ExecutionRequest['metadata'] | undefined;
  /** Values of the secrets that the capability names. Default: none. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Files of the job, by name: what `ctx.files` reads. Default: none. */
  readonly files?: BroughtFiles | undefined;
  /** Default: a random one. */
  readonly jobId?: string | undefined;
  /** Called with each event as it happens: to cancel after a certain one, for instance. */
  readonly onEvent?: ((event: ExecutionEvent) => void) | undefined;
}

/** What an output schema makes of a result. */
type ResultOf<Output> = Output extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<Output> : unknown;

/** A file that a handler left. */
export interface RecordedArtifact extends Artifact {
  readonly content: Buffer;
}

interface Recorded {
  /** What the handler wrote to `ctx.log`, in order; secrets redacted. */
  readonly logs: readonly LogEvent[];
  /** Every `ctx.progress`, in order. */
  readonly progress: readonly ProgressEvent[];
  /** What the handler kept by `ctx.checkpoint`, in order; the last one is what the next attempt would be given. */
  readonly checkpoints: ReadonlyArray<CheckpointEvent['data']>;
  /** What the handler left by `ctx.artifact`, in order; of one name all that it left. */
  readonly artifacts: readonly RecordedArtifact[];
  /** Every event as it would leave the runner, in order; the last one is the terminal event. */
  readonly events: readonly ExecutionEvent[];
  /** By the clock that the run was given. */
  readonly durationMs: number;
}

/** How a run ended: `outcome` says which of the other members are there. */
export type CapabilityRun<Data = unknown> = Recorded &
  (
    | { readonly outcome: 'succeeded'; readonly data: Data; readonly error?: never; readonly reason?: never }
    | {
        readonly outcome: 'failed';
        readonly data?: never;
        readonly error: ErrorEnvelope;
        readonly reason?: never;
      }
    | {
        readonly outcome: 'cancelled';
        readonly data?: never;
        readonly error?: never;
        readonly reason: CancelReason;
      }
  );

const SERVICE = 'run-capability';

/** A payload as a wire would deliver it: what is no JSON object never reaches a runner. */
function overTheWire(input: unknown): JsonObject | undefined {
  try {
    const payload: unknown = JSON.parse(JSON.stringify(input));
    return typeof payload === 'object' && payload !== null && !Array.isArray(payload)
      ? (payload as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

function refusedInput(request: ExecutionRequest, at: string): TerminalEvent {
  const message = 'input: is no JSON object, so that no control plane could send it';
  const error = envelopeOf('VALIDATION_ERROR', {
    service: SERVICE,
    operation: request.capabilityId,
    message,
    details: [{ path: ['input'], message }],
  });
  return { type: 'failed', executionId: request.executionId, seq: 0, at, executionTimeMs: 0, error };
}

function toRun(
  events: readonly ExecutionEvent[],
  terminal: TerminalEvent,
  artifacts: readonly RecordedArtifact[] = [],
): CapabilityRun {
  const recorded: Recorded = {
    artifacts,
    logs: events.filter((event) => event.type === 'log'),
    progress: events.filter((event) => event.type === 'progress'),
    checkpoints: events.flatMap((event) => (event.type === 'checkpoint' ? [event.data] : [])),
    events,
    durationMs: terminal.executionTimeMs,
  };
  switch (terminal.type) {
    case 'succeeded':
      return { ...recorded, outcome: 'succeeded', data: terminal.data };
    case 'failed':
      return { ...recorded, outcome: 'failed', error: terminal.error };
    case 'cancelled':
      return { ...recorded, outcome: 'cancelled', reason: terminal.reason };
  }
}

/** Keeps what is left in memory. */
function recordFiles(artifacts: RecordedArtifact[], clock: Clock, brought: KeptBytes): FileCarrier {
  return {
    async *open(_request, { sha256 }) {
      const content = brought.contentOf(sha256);
      if (content !== undefined) yield content;
    },
    async put({ jobId, executionId }, { name, contentType, read }) {
      const { content, ...size } = await readWhole(read()).catch((cause: unknown) => {
        const why = `the artifact ${name} could not be read: ${sayThrown(cause)}`;
        throw new RunnerError('ARTIFACT_REFUSED', why, { cause });
      });
      const createdAt = new Date(clock.now()).toISOString();
      const artifact = { name, jobId, executionId, contentType, createdAt, ...size };
      artifacts.push({ ...artifact, content });
      return artifact;
    },
  };
}

function record(
  capability: Capability,
  request: ExecutionRequest,
  options: RunCapabilityOptions & { readonly brought: KeptBytes },
): Promise<CapabilityRun> {
  const { signal, onEvent, clock = systemClock, cancelGraceMs } = options;
  const executor = createExecutor({
    registry: createCapabilityRegistry([capability]),
    slots: createSlots(1),
    service: SERVICE,
    clock,
    ...(cancelGraceMs === undefined ? {} : { limits: { cancelGraceMs } }),
  });
  return new Promise((resolve) => {
    const events: ExecutionEvent[] = [];
    const artifacts: RecordedArtifact[] = [];
    const cancel = (): void => {
      const reason: unknown = signal?.reason;
      executor.cancel(request.executionId, reason instanceof ExecutionCancelled ? reason.kind : 'user');
    };
    const onNext = (event: ExecutionEvent): void => {
      events.push(event);
      if (isTerminalEvent(event)) {
        signal?.removeEventListener('abort', cancel);
        resolve(toRun(events, event, artifacts));
      }
      onEvent?.(event);
    };
    executor.run(request, onNext, { files: recordFiles(artifacts, clock, options.brought) });
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** What an execution is given beside its input. */
function given(
  { checkpoint, timeoutMs, secrets }: RunCapabilityOptions,
  { files }: KeptBytes,
): Partial<ExecutionRequest> {
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(secrets === undefined ? {} : { secrets: { ...secrets } }),
    ...(files === undefined ? {} : { files }),
  };
}

/**
 * Runs a capability once, through everything that a runner would take it through: the input crosses JSON and its
 * schema, the handler gets a real context, the deadline holds, the output is checked, errors become envelopes.
 * Nothing listens and nothing is sent.
 *
 * Never rejects because of the capability: a refused input, a throw and a timeout are outcomes.
 * @param capability - what is to be run
 * @param input - what a client would submit; for a wrong one, write `{ … } as never`
 * @param options - the signal, the clock and what the context says
 *
 * @example
 * const run = await runCapability(resize, { url, width: 100 });
 * expect(run.outcome).toBe('succeeded');
 */
export async function runCapability<
  Input extends StandardSchemaV1,
  Output extends StandardSchemaV1 | undefined = undefined,
  Checkpoint extends StandardSchemaV1 | undefined = undefined,
>(
  capability: Capability<Input, Output, Checkpoint>,
  input: StandardSchemaV1.InferInput<Input>,
  options: RunCapabilityOptions = {},
): Promise<CapabilityRun<ResultOf<Output>>> {
  const { attempt = 1, metadata = {}, jobId = randomUUID(), clock = systemClock } = options;
  const payload = overTheWire(input);
  const brought = keepBrought(options.files);
  const request: ExecutionRequest = {
    jobId,
    executionId: `${jobId}.${attempt}`,
    attempt,
    moduleId: SERVICE,
    capabilityId: capability.id,
    payload: payload ?? {},
    metadata,
    ...given(options, brought),
  };
  if (payload === undefined) {
    const event = refusedInput(request, new Date(clock.now()).toISOString());
    options.onEvent?.(event);
    return toRun([event], event) as CapabilityRun<ResultOf<Output>>;
  }
  return (await record(capability, request, { ...options, brought })) as CapabilityRun<ResultOf<Output>>;
}
