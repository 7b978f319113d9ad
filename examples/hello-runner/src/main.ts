// A story: a runner of fifteen lines joins JobForge, greets by its job, refuses a wrong input, leaves in order.
// Asserts what it tells and exits non-zero when it is not so.
import assert from 'node:assert/strict';
import { createJobForge, isJobForgeError } from '@controlplane/jobforge';
import { createRunner } from '@controlplane/runner-sdk';
import { greet } from './greet.js';

const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
assert(forge.url, 'JobForge listens');
const runner = createRunner({
  name: 'hello',
  version: '1.0.0',
  capabilities: [greet],
  controlPlaneUrl: forge.url,
  port: 0,
  logLevel: 'warn',
});

try {
  await runner.start();
  const job = await forge.submit({ capability: 'hello.greet', input: { name: 'Ada' } });
  const seen: string[] = [];
  for await (const event of job.events()) {
    seen.push(event.type);
    console.log(event.type, JSON.stringify(event.data ?? {}));
  }
  const result = await job.result();
  assert.deepEqual(result.data, { message: 'Hello, Ada' });
  assert.deepEqual(
    seen.filter((type) => ['job.log', 'job.progress', 'job.completed'].includes(type)),
    ['job.log', 'job.progress', 'job.completed'],
  );

  const refused = await forge
    .submit({ capability: 'hello.greet', input: { nam: 'Ada' } })
    .catch((error: unknown) => error);
  assert(isJobForgeError(refused), 'a wrong input is refused before it is queued');
  const [detail] = refused.envelope.details ?? [];
  console.log('refused:', refused.message, JSON.stringify(detail));
  assert.deepEqual(detail?.path, ['input', 'name']);
  console.log('the job was done, the wrong one refused');
} finally {
  await runner.stop();
  await forge.stop();
}
