// The same work behind the SDK's fast listener. Each request needs an execution id of its own, or the replay cache
// would answer it: without `executionId` the job's id is the execution's, so the load sends a new one each time.
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { answerParent } from '../harness/child.mjs';
import { echo, input, output } from './echo.mjs';

const now = () => performance.timeOrigin + performance.now();

/** Moments in their order, each taken once. */
function createMoments() {
  const moments = [];
  const waiting = [];
  return {
    note() {
      const at = now();
      const take = waiting.shift();
      if (take) take({ at });
      else moments.push({ at });
    },
    take: () => moments.shift() ?? new Promise((resolve) => waiting.push(resolve)),
  };
}

const waits = { begun: createMoments(), stopped: createMoments() };
let lastBegan = 0;
const tellBegin = (value) => {
  lastBegan = now();
  return echo(value);
};

const capability = defineCapability({
  id: 'bench.echo',
  version: '1.0.0',
  description: 'Echoes',
  input,
  output,
  effects: 'none',
  maxConcurrency: Number(process.env.MAXC ?? 1000),
  execute: process.env.TELL_BEGIN ? tellBegin : echo,
});
const waiting = defineCapability({
  id: 'bench.wait',
  version: '1.0.0',
  description: 'Waits until it is told to stop',
  input,
  effects: 'none',
  execute: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        waits.stopped.note();
        reject(signal.reason);
      });
      waits.begun.note();
    }),
});
const runner = createRunner({
  name: 'bench',
  version: '1.0.0',
  capabilities: [capability, waiting],
  maxConcurrency: Number(process.env.MAXC ?? 1000),
  controlPlaneUrl: process.env.JOBFORGE_URL,
  delivery: process.env.DELIVERY ?? 'push',
  port: 0,
  logger: false,
});
await runner.start();
if (process.env.WAIT_READY) await runner.ready();
answerParent(
  { port: runner.url && Number(new URL(runner.url).port) },
  { begun: () => ({ at: lastBegan }), waiting: waits.begun.take, stopped: waits.stopped.take },
);
