import { createJobForge } from '../control-plane.js';
import type { ForgeOptions, ServingForge } from './cli-context.js';

/** Starts a control plane in this process, with the store that was named. */
export async function startForge({
  host,
  port,
  store,
  allowedHosts,
  log,
}: ForgeOptions): Promise<ServingForge> {
  const forge = await createJobForge({
    store,
    listen: { host, port, allowedHosts },
    log,
  }).start();
  return { url: forge.url ?? '', running: () => forge.running, stop: () => forge.stop() };
}
