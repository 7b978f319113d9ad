import type { ExecutionEvent } from '@controlplane/contracts';
import { z } from 'zod';
import type { CapabilityContext } from '../capability/capability-context.js';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import { defineCapability } from '../capability/define-capability.js';
import { createDeferred } from '../util/deferred.js';
import { silentLogger } from '../util/logger.js';
import { createVirtualClock } from '../util/virtual-clock.js';
import { createSlots } from './admission.js';
import type { ExecutionRequest } from './execute.js';
import { createExecutor, type ExecutorLimits } from './executor.js';

/** What every capability of a test says of itself. */
export const words = { version: '1.0.0', description: 'For a test.' };
/** Lets what is due in this turn of the event loop happen. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const greet = defineCapability({
  ...words,
  id: 'greet',
  input: z.object({ name: z.string() }),
  output: z.object({ message: z.string() }),
  async execute({ name }, ctx) {
    ctx.log.info('greeting', { name });
    await ctx.progress(0.5, 'half');
    return { message: `Hello, ${name}` };
  },
});

/** A capability that does nothing but say what the test wants. */
export const createTalk = (speak: (ctx: CapabilityContext) => unknown) =>
  defineCapability({ ...words, id: 'talk', input: z.object({}), execute: (_input, ctx) => speak(ctx) });

type Tunable =
  | 'maxConcurrency'
  | 'timeoutMs'
  | 'maxTimeoutMs'
  | 'idleTimeoutMs'
  | 'effects'
  | 'announcesWrites';

/** A capability whose end the test decides, and whose context it can look at. */
export function createHeld(id = 'held', more: Partial<Pick<Capability, Tunable>> = {}) {
  const calls: Array<{
    ctx: CapabilityContext;
    resolve: (value: unknown) => void;
    reject: (error: unknown) => void;
  }> = [];
  const capability = defineCapability({
    ...words,
    ...more,
    id,
    input: z.object({}),
    execute(_input, ctx) {
      const { promise, resolve, reject } = createDeferred<unknown>();
      calls.push({ ctx, resolve, reject });
      return promise;
    },
  });
  return { capability, calls };
}

/** An executor on a virtual clock, for tests. */
export function createExecutorFixture(
  capabilities: readonly Capability[],
  options: {
    readonly slots?: number;
    readonly limits?: Partial<ExecutorLimits>;
    readonly instanceId?: string;
  } = {},
) {
  const clock = createVirtualClock();
  const warnings: string[] = [];
  const warn = (fields: object | string, message?: string): void =>
    void warnings.push(message ?? JSON.stringify(fields));
  const executor = createExecutor({
    registry: createCapabilityRegistry(capabilities),
    slots: createSlots(options.slots ?? 10),
    service: 'fixture',
    clock,
    logger: { ...silentLogger, warn },
    runnerId: () => 'runner-1',
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.instanceId === undefined ? {} : { instanceId: options.instanceId }),
  });
  let next = 0;

  const requestOf = (
    capabilityId: string,
    payload: Record<string, unknown> = {},
    more: Partial<ExecutionRequest> = {},
  ): ExecutionRequest => ({
    jobId: `job-${++next}`,
    moduleId: 'fixture',
    capabilityId,
    payload,
    metadata: {},
    executionId: `execution-${next}`,
    attempt: 1,
    ...more,
  });
  /** Starts an execution, lets its handler begin, and collects its events as they come. */
  const start = async (request: ExecutionRequest) => {
    const events: ExecutionEvent[] = [];
    executor.run(request, (event) => events.push(event));
    await Promise.resolve();
    return { request, events, last: () => events.at(-1), types: () => events.map(({ type }) => type) };
  };
  return { clock, executor, requestOf, start, warnings };
}
