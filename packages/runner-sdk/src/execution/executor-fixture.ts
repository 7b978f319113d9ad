import type { ExecutionEvent } from '@controlplane/contracts';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import { createVirtualClock } from '../util/virtual-clock.js';
import { createSlots } from './admission.js';
import type { ExecutionRequest } from './execute.js';
import { createExecutor, type ExecutorLimits } from './executor.js';

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
  const executor = createExecutor({
    registry: createCapabilityRegistry(capabilities),
    slots: createSlots(options.slots ?? 10),
    service: 'fixture',
    clock,
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
  return { clock, executor, requestOf, start };
}
