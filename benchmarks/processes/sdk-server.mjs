// The same work behind the SDK's fast listener. Each request needs an execution id of its own, or the replay cache
// would answer it: without `executionId` the job's id is the execution's, so the load sends a new one each time.
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { answerParent } from '../harness/child.mjs';
import { echo, input, output } from './echo.mjs';

const capability = defineCapability({
  id: 'bench.echo',
  version: '1.0.0',
  description: 'Echoes',
  input,
  output,
  effects: 'none',
  maxConcurrency: 1000,
  execute: echo,
});
const runner = createRunner({
  name: 'bench',
  version: '1.0.0',
  capabilities: [capability],
  maxConcurrency: 1000,
  jobForgeUrl: process.env.JOBFORGE_URL,
  port: 0,
  logger: false,
});
await runner.start();
if (process.env.WAIT_READY) await runner.ready();
answerParent({ port: Number(new URL(runner.url).port) }, {});
