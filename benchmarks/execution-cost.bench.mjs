// What one execution costs inside of a process: validation, context, events and a handler that does nothing, beside the
// same handler with its validation alone; and whether 10,000 executions leave anything behind on the heap.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { interleaved, median } from './harness/interleaved.mjs';
import { report, round } from './harness/report.mjs';
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { echo, input, output } from './processes/echo.mjs';

// The heap can be measured only where garbage can be collected on demand.
if (!globalThis.gc) {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}

const COUNT = 10_000;
const ROUNDS = 15;
const capability = defineCapability({
  id: 'bench.echo',
  version: '1.0.0',
  description: 'Echoes',
  input,
  output,
  effects: 'none',
  execute: echo,
});
const runner = createRunner({ name: 'bench', capabilities: [capability], logger: false });
const payload = { text: 'x'.repeat(120), times: 2 };
let next = 0;

async function throughSdk() {
  const executionId = `bench-${(next += 1)}`;
  const request = {
    jobId: executionId,
    executionId,
    attempt: 1,
    moduleId: 'bench',
    capabilityId: 'bench.echo',
  };
  let last;
  for await (const event of runner.execute({ ...request, payload, metadata: {} })) last = event;
  if (last?.type !== 'succeeded') throw new Error(`unexpected end: ${JSON.stringify(last)}`);
}

async function bare() {
  output.parse(echo(input.parse(payload)));
}

const time = (call) => async () => {
  const started = performance.now();
  for (let index = 0; index < COUNT; index += 1) await call();
  return ((performance.now() - started) * 1000) / COUNT;
};

const heap = () => {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

await interleaved({ bare: time(bare), sdk: time(throughSdk) }, 3);
const results = await interleaved({ bare: time(bare), sdk: time(throughSdk) }, ROUNDS);
// What is remembered of ended executions is bounded, and full by now.
const growth = [];
for (let index = 0; index < 5; index += 1) {
  const before = heap();
  await time(throughSdk)();
  growth.push((heap() - before) / COUNT);
}
report('one execution in process (10,000 a round)', {
  'validated handler alone, µs': round(median(results.bare)),
  'SDK, µs (aim ≤ 25)': round(median(results.sdk)),
  'SDK, slowest and fastest round, µs': `${round(Math.max(...results.sdk))} … ${round(Math.min(...results.sdk))}`,
  'heap growth, bytes an execution': round(median(growth), 1),
});
await runner.stop();
