import { createRunner } from '@controlplane/runner-sdk';
import { shell } from '@controlplane/capabilities/shell';

// A runner in a process of its own, which is killed while a command runs.
const [stateDirectory, seconds, how] = process.argv.slice(2);
const runner = createRunner({
  name: 'left-behind',
  capabilities: [shell({ profile: 'full', stateDirectory })],
  logger: false,
});
const command = `setsid sleep ${seconds} & env -i sleep ${seconds} & sleep ${seconds} & echo running; wait`;
const request = {
  executionId: 'one',
  jobId: 'one',
  capabilityId: 'shell.full',
  payload: { command },
  metadata: {},
  attempt: 1,
};
for await (const event of runner.execute(request)) {
  if (event.type !== 'log') continue;
  process.stdout.write('running\n');
  if (how === 'crash') throw new Error('the program of the runner crashed');
}
