import { RunnerHeartbeat } from '@controlplane/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { blockThread } from './beat-recorder.suite.js';
import { createVitals } from './vitals.js';

const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function startVitals() {
  const vitals = createVitals();
  onTestFinished(vitals.stop);
  return vitals;
}

test('reads what the contract lets a heartbeat say', async () => {
  const vitals = startVitals();
  await turn(150);
  const metrics = vitals.read();
  expect(RunnerHeartbeat.shape.metrics.parse(metrics)).toEqual(metrics);
  expect(metrics.memoryBytes).toBeGreaterThan(10_000_000);
  expect(metrics.memoryUsage).toBeGreaterThan(0);
});

test('tells the longest delay of the event loop since the last reading, once', async () => {
  const vitals = startVitals();
  await turn(150);
  vitals.read();
  await turn(150);
  blockThread(600);
  await turn(250);
  expect(vitals.read().eventLoopLagMs).toBeGreaterThan(350);
  await turn(250);
  expect(vitals.read().eventLoopLagMs).toBeLessThan(300);
});

test('tells the share of one core that was used, and nothing after no time', () => {
  const vitals = startVitals();
  const untilMs = performance.now() + 120;
  while (performance.now() < untilMs) JSON.stringify({ untilMs });
  expect(vitals.read().cpuUsage).toBeGreaterThan(5);
  expect(vitals.read().cpuUsage).toBeUndefined();
});
