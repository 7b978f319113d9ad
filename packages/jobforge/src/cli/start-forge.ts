import { isLoopback } from '../api/loopback.js';
import { adminToken } from './admin-token.js';
import type { ForgeOptions, ServingForge } from './cli-context.js';
import { secretsKey } from './secrets-key.js';

/** Starts a control plane in this process, with the store that was named. */
export async function startForge(options: ForgeOptions): Promise<ServingForge> {
  const { host, port, store, folder, files, allowedHosts, auth, tls, accept, log } = options;
  const { env } = process;
  const admin = auth && (await adminToken({ env, file: auth.adminTokenFile, folder }));
  const key = await secretsKey({ env, folder });
  if (auth && !tls && !isLoopback(host))
    log(
      'warn',
      'credentials cross the network as they are: give --tls-cert and --tls-key, unless a proxy in front does TLS',
    );
  // By the package's own name: a command that serves nothing does not load the server, nor carry it twice.
  const { createJobForge } = await import('@controlplane/jobforge');
  const forge = await createJobForge({
    store,
    listen: { host, port, allowedHosts, ...(tls && { tls }) },
    auth: admin ? { adminToken: admin.token } : false,
    webhooks: { allowPrivate: options.allowPrivateWebhooks ?? false },
    ...{ accept, log },
    ...(files !== undefined && { files }),
    ...(key !== undefined && { secretsKey: key }),
  }).start();
  return {
    url: forge.url ?? '',
    adminTokenFile: admin?.madeIn,
    running: () => forge.running,
    stop: () => forge.stop(),
  };
}
