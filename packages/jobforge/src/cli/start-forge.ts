import { join } from 'node:path';
import { createJobForge } from '../control-plane.js';
import type { ForgeOptions, ServingForge } from './cli-context.js';

/** Starts a control plane in this process, with its store in the folder that was named. */
export async function startForge({
  host,
  port,
  data,
  allowedHosts,
  log,
}: ForgeOptions): Promise<ServingForge> {
  const forge = await createJobForge({
    store: data === undefined ? 'memory' : `sqlite:${join(data, 'jobforge.db')}`,
    listen: { host, port, allowedHosts },
    log,
  }).start();
  return { url: forge.url ?? '', running: () => forge.running, stop: () => forge.stop() };
}
