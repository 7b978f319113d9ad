/**
 * A runner that dials out, written by hand from the contract with what Node brings, that keeps all of it but what it
 * is told to break:
 *
 *     RUNNER_DELIVERY=websocket node runner.mjs --break websocket.runs-repeated-offer-once
 *
 * Without --break it is conformant over both deliveries.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createExecutions } from '../executions.mjs';
import { createHeld } from './held.mjs';
import { runPollLink } from './poll-link.mjs';
import { runSocketLink } from './socket-link.mjs';

const FAREWELL_MS = 3_000;

const { values } = parseArgs({ options: { break: { type: 'string' } } });
const kind = process.env.RUNNER_DELIVERY ?? 'websocket';
const broken = (id) => values.break === id;
const context = {
  url: process.env.JOBFORGE_URL ?? 'http://127.0.0.1:3002',
  state: { draining: false, left: false },
  executions: createExecutions({ broken }),
  breaks: (name) => broken(`${kind}.${name}`),
};
context.held = createHeld(context);

/** Finishes what runs, tells it, says farewell. */
context.leave = async () => {
  context.state.draining = true;
  await context.executions.drain();
  const until = performance.now() + FAREWELL_MS;
  while (!context.held.isEmpty() && performance.now() < until) await sleep(20);
  context.state.left = true;
  await context.deregister();
  process.exit(0);
};

process.on('SIGTERM', () => {
  if (context.state.draining) process.exit(1);
  void context.leave();
});

const run = kind === 'long-poll' ? runPollLink : runSocketLink;
await run(context);
// Refused for good: nothing is left to do.
if (!context.state.draining) process.exit(1);
