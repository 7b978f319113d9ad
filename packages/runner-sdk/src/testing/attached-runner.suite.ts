import { CONTRACT_VERSION_CURRENT } from '@controlplane/contracts';
import { describeCapability } from '../capability/capability-manifest.js';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import { createSlots } from '../execution/admission.js';
import { createExecutor } from '../execution/executor.js';
import type { InMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import { silentLogger } from '../util/logger.js';

let instances = 0;
export async function startRunner(
  host: InMemoryHost,
  capabilities: readonly Capability[],
  more: { maxConcurrency?: number } = {},
) {
  const registry = createCapabilityRegistry(capabilities);
  const max = more.maxConcurrency ?? 10;
  const slots = createSlots(max);
  const instanceId = `instance-${++instances}`;
  let draining = false;
  const executor = createExecutor({ registry, slots, service: 'attached', clock: host.clock, instanceId });
  const session = host.attach({
    instanceId,
    describe: () => ({
      name: 'attached',
      version: '1.0.0',
      contractVersion: CONTRACT_VERSION_CURRENT,
      capabilities: registry.list().map((c) => describeCapability(c, max)),
      tags: [],
      instanceId,
      maxConcurrency: max,
    }),
    execute: executor.execute,
    run: executor.run,
    cancel: executor.cancel,
    running: executor.running,
    slots: () => ({ used: slots.taken, total: max }),
    health: { check: async () => ({}) as never, last: 'healthy' },
    vitals: () => ({}),
    url: () => undefined,
    maxBodyBytes: 1,
    isDraining: () => draining,
    changed: () => undefined,
    drain: () => undefined,
    drainMs: 25_000,
    standIn: undefined,
    state: undefined,
    logger: silentLogger,
    clock: host.clock,
    random: Math.random,
    fetch: undefined,
    defaults: { controlPlaneUrl: '', credential: undefined },
    manifest: {} as never,
  });
  session.ready.catch(() => undefined);
  session.start();
  await host.clock.settle();
  return {
    session,
    stop: async ({ drainMs = 25_000 } = {}) => {
      draining = true;
      const drained = executor.drain({ drainMs, graceMs: 2_000 });
      await session.announceDrain();
      await drained;
      await session.leave('stopped');
    },
  };
}
