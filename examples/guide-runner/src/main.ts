// A story: JobForge starts, the hand-written runner joins, the guide's job runs on it. Exits non-zero when it does not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createJobForge } from '@controlplane/jobforge';

const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
assert(forge.url);
const runner = spawn(process.execPath, [fileURLToPath(new URL('runner.js', import.meta.url))], {
  env: { PATH: process.env['PATH'], JOBFORGE_URL: forge.url, PORT: '0', RUNNER_ID: 'my-runner-001' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [line] = await once(createInterface(runner.stdout), 'line');
  console.log(line);
  const submitted = await fetch(`${forge.url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"id":"test-job-1","type":"my.job.type","priority":50,"payload":{"type":"my-capability","version":"1.0.0","data":{"foo":"bar"}}}',
  });
  assert.equal(submitted.status, 202);
  const result = await forge.job('test-job-1').result();
  assert.deepEqual(result.data, { processed: true, input: { foo: 'bar' } });
  console.log('test-job-1 completed', JSON.stringify(result.data));
} finally {
  runner.kill();
  await forge.stop();
}
