import { RunnerError } from '../errors/runner-error.js';
import { publicUrlOf } from './public-url.js';
import type { RunnerEnding } from './runner-ending.js';
import type { RunnerParts } from './runner-parts.js';
import { listenForRunner } from './runner-server.js';

/** Each wait on the way up may have been one for a runner that was stopped meanwhile. */
function throwIfStopped({ state, manifest }: RunnerParts): void {
  if (state.current !== 'created')
    throw new RunnerError('STOPPED', `the runner "${manifest.name}" was stopped; make a new one`);
}

async function listen(parts: RunnerParts, releases: RunnerEnding['releases']): Promise<void> {
  const { resolved, sessions, address, manifest } = parts;
  if (resolved.mountAt !== undefined) {
    address.url = publicUrlOf(resolved, resolved.port);
    return;
  }
  const isPortFree = resolved.isPortGiven && !sessions.isTaken(resolved.port);
  if (!sessions.listens && !isPortFree) return;
  const listener = await listenForRunner({ ...parts, service: manifest.name });
  try {
    throwIfStopped(parts);
  } catch (error) {
    await listener.close(0);
    throw error;
  }
  releases.push(() => listener.close(1_000));
  address.url = publicUrlOf(resolved, listener.port);
}

/**
 * Takes a runner up: its isolated children, its server, its signals, its sessions.
 * @throws RunnerError `LISTEN_FAILED` or `STOPPED`
 */
export async function startParts(parts: RunnerParts, ending: RunnerEnding): Promise<void> {
  const { resolved, address, batch, isolation, logger, manifest, observation, registry, sessions } = parts;
  const { releases } = ending;
  throwIfStopped(parts);
  releases.push(isolation.close);
  const warm = isolation.start();
  if (warm) await warm;
  throwIfStopped(parts);
  await listen(parts, releases);
  ending.followSignals();
  const offered = manifest.capabilities.map(({ id, version }) => `${id}@${version}`);
  logger.info({ url: address.url, capabilities: offered }, 'started');
  if (resolved.isKilledEarly) {
    logger.warn(
      { drainMs: resolved.drainMs },
      'Kubernetes ends a pod 30 s after SIGTERM unless terminationGracePeriodSeconds says otherwise: this drain may be cut off',
    );
  }
  for (const { id, startWarning } of registry.list()) {
    if (startWarning !== undefined) logger.warn({ capability: id }, `${id}: ${startWarning}`);
  }
  observation.start();
  batch.start();
  releases.push(observation.stop, batch.stop);
  sessions.start();
}
