import { join } from 'node:path';
import { container, findEngine } from '@controlplane/capabilities/container';
import { createRunner } from '@controlplane/runner-sdk';

// A runner in a process of its own, which is killed while a container runs.
const [root, image] = process.argv.slice(2);
const runner = createRunner({
  name: 'left-container',
  capabilities: [
    container({
      engine: await findEngine('podman'),
      images: ['*'],
      stateDirectory: join(root, 'state'),
      workDirectory: join(root, 'files'),
    }),
  ],
  logger: false,
});
const request = {
  executionId: 'one',
  jobId: 'one',
  capabilityId: 'container.run',
  payload: { image, pull: 'never', command: ['sh', '-c', 'echo up; sleep 4713'] },
  metadata: {},
  attempt: 1,
};
for await (const event of runner.execute(request)) if (event.type === 'log') process.stdout.write('up\n');
