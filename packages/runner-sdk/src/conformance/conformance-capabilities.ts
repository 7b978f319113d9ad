/**
 * @module
 * The capabilities that the contract test kit knows by name, so that it can look deeper: how long, how much, how it
 * fails is what their input says. For tests: a runner in production does not offer them. Imports capability, errors
 * and zod.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Capability } from '../capability/capability.js';
import { defineCapability } from '../capability/define-capability.js';
import { CapabilityError } from '../errors/capability-error.js';

const VERSION = '1.0.0';
/** The largest output of `conformance.big`: what is more would not fit into one message. */
const MOST_BYTES = 1024 * 1024;

const count = (most: number) => z.int().min(0).max(most);
const shared = { version: VERSION, effects: 'none' } as const;

const echo = defineCapability({
  ...shared,
  id: 'conformance.echo',
  description: 'Gives back the text that it is given.',
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  execute: async ({ text }) => ({ text }),
});

const wait = defineCapability({
  ...shared,
  id: 'conformance.sleep',
  description: 'Waits; stops when it is cancelled or out of time.',
  input: z.object({ ms: count(60_000) }),
  output: z.object({ sleptMs: count(60_000) }),
  async execute({ ms }, { signal }) {
    await sleep(ms, undefined, { signal });
    return { sleptMs: ms };
  },
});

const fail = defineCapability({
  ...shared,
  id: 'conformance.fail',
  description: 'Fails with just the error that its input describes.',
  input: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
  output: z.object({}),
  async execute({ code, message, retryable }) {
    throw new CapabilityError(code, message, { retryable });
  },
});

const progress = defineCapability({
  ...shared,
  id: 'conformance.progress',
  description: 'Reports progress after each of its steps.',
  input: z.object({ steps: count(100) }),
  output: z.object({ steps: count(100) }),
  async execute({ steps }, ctx) {
    for (let step = 1; step <= steps; step += 1) await ctx.progress(step / steps);
    return { steps };
  },
});

const logs = defineCapability({
  ...shared,
  id: 'conformance.logs',
  description: 'Logs "line 0", "line 1" and so on, each with the text behind it.',
  input: z.object({ lines: count(1_000), text: z.string().optional() }),
  output: z.object({ lines: count(1_000) }),
  async execute({ lines, text = '' }, ctx) {
    for (let line = 0; line < lines; line += 1) ctx.log.info(`line ${line}${text}`);
    return { lines };
  },
});

const checkpoint = defineCapability({
  ...shared,
  id: 'conformance.checkpoint',
  description: 'Tells a checkpoint, and gives back the one of the attempt before.',
  input: z.object({ step: z.string() }),
  output: z.object({ before: z.string().optional() }),
  checkpoint: z.object({ step: z.string() }),
  async execute({ step }, ctx) {
    const before = ctx.lastCheckpoint?.step;
    await ctx.checkpoint({ step });
    return before === undefined ? {} : { before };
  },
});

const crash = defineCapability({
  ...shared,
  id: 'conformance.crash',
  description: 'Breaks off with an error that nobody foresaw.',
  input: z.object({}),
  output: z.object({}),
  execute: async () => {
    throw new TypeError('conformance.crash breaks off, as it was asked to');
  },
});

const big = defineCapability({
  ...shared,
  id: 'conformance.big',
  description: 'Gives back as many bytes of text as it is asked for.',
  input: z.object({ bytes: count(MOST_BYTES) }),
  output: z.object({ text: z.string() }),
  execute: async ({ bytes }) => ({ text: 'x'.repeat(bytes) }),
});

const stubborn = defineCapability({
  ...shared,
  id: 'conformance.stubborn',
  description: 'Waits; does not stop when it is cancelled or out of time.',
  input: z.object({ ms: count(60_000) }),
  output: z.object({ sleptMs: count(60_000) }),
  async execute({ ms }) {
    await sleep(ms);
    return { sleptMs: ms };
  },
});

const block = defineCapability({
  ...shared,
  id: 'conformance.block',
  description: 'Keeps the thread of its runner busy: nothing else runs on it meanwhile.',
  input: z.object({ ms: count(30_000) }),
  output: z.object({ blockedMs: count(30_000) }),
  execute({ ms }) {
    const until = performance.now() + ms;
    while (performance.now() < until);
    return { blockedMs: ms };
  },
});

/**
 * The fixture capabilities of the contract test kit, `conformance.echo` to `conformance.block`. A runner that
 * offers them is judged by all that its features need.
 */
export function conformanceCapabilities(): readonly Capability[] {
  return [echo, wait, fail, progress, logs, crash, big, checkpoint, stubborn, block];
}
