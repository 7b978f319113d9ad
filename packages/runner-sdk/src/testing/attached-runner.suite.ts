import type { Capability } from '../capability/capability.js';
import type { Host, HostSession } from '../hosts/host.js';
import type { InMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import { createRunner, type Runner } from '../lifecycle/runner.js';

/** A runner of these capabilities at an in-memory host, registered where the weather allows it, with its session. */
export async function startRunner(
  host: InMemoryHost,
  capabilities: readonly Capability[],
  more: { readonly maxConcurrency?: number } = {},
): Promise<{ readonly runner: Runner; readonly session: HostSession }> {
  const sessions: HostSession[] = [];
  const observed: Host = {
    name: host.name,
    listens: host.listens,
    clock: host.clock,
    attach(hosted) {
      const session = host.attach(hosted);
      sessions.push(session);
      return session;
    },
  };
  const runner = createRunner({
    name: 'attached',
    capabilities,
    hosts: [observed],
    handleSignals: false,
    logger: false,
    port: 0,
    ...more,
  });
  const [session] = sessions;
  if (!session) throw new Error('the runner attached itself to no host');
  await runner.start();
  await host.clock.settle();
  return { runner, session };
}

/** Stops runners while the time that it takes goes by. */
export async function stopRunners(
  host: InMemoryHost,
  runners: ReadonlyArray<{ readonly runner: Runner }>,
): Promise<void> {
  const stopped = Promise.all(runners.map(({ runner }) => runner.stop({ drainMs: 1_000 })));
  await host.clock.advance('1m');
  await stopped;
}
