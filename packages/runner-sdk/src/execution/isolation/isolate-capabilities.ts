import { availableParallelism } from 'node:os';
import { DEFAULTS, type CancelReason } from '@controlplane/contracts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { CapabilityContext } from '../../capability/capability-context.js';
import type { Capability } from '../../capability/capability.js';
import { systemClock, type Clock } from '../../util/clock.js';
import { createChildPool, type ChildPool } from './child-pool.js';
import { callIsolated, type IsolatedCallOptions } from './isolated-call.js';
import { startProcess } from './process-child.js';
import { startThread } from './thread-child.js';

/** The capabilities of a runner, those that ask for it with handlers elsewhere. */
export interface IsolatedCapabilities {
  readonly capabilities: readonly Capability[];
  /**
   * Starts one thread or process for each isolated capability: proof that it can be, and warm for the first execution.
   * @returns nothing to wait for where no capability is isolated; rejects with `INVALID_CAPABILITY` when a module
   * does not define its capability
   */
  start(): Promise<void> | undefined;
  /** Ends them all by force. */
  close(): Promise<void>;
}

/** What isolation stands on; times in milliseconds. */
export interface IsolationOptions {
  /** Executions that the runner runs at once. */
  readonly slots: number;
  readonly cancelGraceMs: number;
  readonly startTimeoutMs?: number;
  readonly clock?: Clock;
}

/** What the runner leaves between the end of its drain and its own. */
const SHUTDOWN_GRACE_MS = 2_000;
const DEADLINE_GRACE_MS = 5_000;

/**
 * Refuses what the schema refuses, and leaves what it takes as it was sent: that is parsed where the handler runs, since
 * what a schema makes of it (a URL, an instance of a class) would not cross over as what it is.
 */
function checkOnly(schema: StandardSchemaV1): StandardSchemaV1 {
  const { vendor, version } = schema['~standard'];
  const validate = (value: unknown): ReturnType<StandardSchemaV1['~standard']['validate']> => {
    const asSent = (result: StandardSchemaV1.Result<unknown>) => (result.issues ? result : { value });
    const result = schema['~standard'].validate(value);
    return result instanceof Promise ? result.then(asSent) : asSent(result);
  };
  return { '~standard': { version, vendor, validate } };
}

function isolate(capability: Capability, pool: ChildPool, options: IsolatedCallOptions): Capability {
  return {
    ...capability,
    input: checkOnly(capability.input),
    checkpoint: capability.checkpoint && checkOnly(capability.checkpoint),
    async execute(input: unknown, ctx: CapabilityContext) {
      const child = await pool.take();
      try {
        return await callIsolated(child, { input, ctx }, options);
      } finally {
        pool.giveBack(child);
      }
    },
  };
}

/** Puts the handlers of isolated capabilities into threads and processes; the others stay as they are. */
export function isolateCapabilities(
  capabilities: readonly Capability[],
  options: IsolationOptions,
): IsolatedCapabilities {
  const { slots, cancelGraceMs, startTimeoutMs = DEFAULTS.handshakeMs, clock = systemClock } = options;
  const graceMsOf = (reason: CancelReason): number => {
    if (reason === 'shutdown') return SHUTDOWN_GRACE_MS;
    return reason === 'deadline' ? Math.min(cancelGraceMs, DEADLINE_GRACE_MS) : cancelGraceMs;
  };
  const pools: ChildPool[] = [];
  const poolOf = ({ id, isolated, maxConcurrency }: Capability): ChildPool | undefined => {
    if (!isolated) return undefined;
    const max = Math.min(slots, maxConcurrency ?? slots);
    const pool = createChildPool({
      capabilityId: id,
      start: () => (isolated.kind === 'thread' ? startThread(id, isolated) : startProcess(id, isolated)),
      max,
      maxIdle: Math.min(max, availableParallelism()),
      startTimeoutMs,
      clock,
    });
    pools.push(pool);
    return pool;
  };
  return {
    capabilities: capabilities.map((capability) => {
      const pool = poolOf(capability);
      return pool ? isolate(capability, pool, { clock, graceMsOf }) : capability;
    }),
    start() {
      if (pools.length === 0) return undefined;
      return Promise.all(pools.map(async (pool) => pool.giveBack(await pool.take()))).then(() => undefined);
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
