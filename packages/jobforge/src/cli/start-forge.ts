import { dirname } from 'node:path';
import { createJobForge } from '../control-plane.js';
import type { ForgeOptions, ServingForge } from './cli-context.js';
import { secretsKey } from './secrets-key.js';

const SQLITE = 'sqlite:';

/** Starts a control plane in this process, with the store that was named. */
export async function startForge(options: ForgeOptions): Promise<ServingForge> {
  const { host, port, store, allowedHosts, makesKey, allowPrivateWebhooks = false, log } = options;
  const folder = makesKey && store.startsWith(SQLITE) ? dirname(store.slice(SQLITE.length)) : undefined;
  const key = await secretsKey({ env: process.env, folder });
  const forge = await createJobForge({
    store,
    listen: { host, port, allowedHosts },
    webhooks: { allowPrivate: allowPrivateWebhooks },
    log,
    ...(key !== undefined && { secretsKey: key }),
  }).start();
  return { url: forge.url ?? '', running: () => forge.running, stop: () => forge.stop() };
}
