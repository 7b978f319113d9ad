// A runner of containers, which keeps what must outlive it in a folder that the test names.
import { join } from 'node:path';
import { container, findEngine } from '@controlplane/capabilities/container';
import { createRunner } from '@controlplane/runner-sdk';

const folder = process.env.FOLDER;
const runner = createRunner({
  name: 'containers',
  version: '1.0.0',
  capabilities: [
    container({
      engine: await findEngine('podman'),
      images: ['localhost/controlplane-*'],
      stateDirectory: join(folder, 'state'),
      workDirectory: join(folder, 'files'),
    }),
  ],
  delivery: 'websocket',
  port: 0,
  logger: false,
});
await runner.start();
await runner.ready();
process.send?.({ ready: true });
