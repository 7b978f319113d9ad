import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import type { CapabilityContext } from '../capability/capability-context.js';
import { runCapability } from './run-capability.js';

const saying = (say: (ctx: CapabilityContext) => void) =>
  defineCapability({
    id: 'say',
    version: '1.0.0',
    description: 'For a test.',
    input: z.object({}),
    execute: async (_input, ctx) => say(ctx),
  });

test('what is said to people stands in the log as that, with its level and whom it is for, secrets hidden', async () => {
  const { logs } = await runCapability(
    saying((ctx) => {
      ctx.redact('hunter2-long');
      ctx.log.info('before');
      ctx.notify('the key is hunter2-long', { level: 'warn', audience: 'finance' });
      ctx.notify('done');
    }),
    {},
  );
  expect(logs).toMatchObject([
    { level: 'info', message: 'before' },
    { level: 'warn', message: 'the key is [redacted]', notification: { audience: 'finance' } },
    { level: 'info', message: 'done', notification: {} },
  ]);
  expect(logs[0]).not.toHaveProperty('notification');
});

test('what is too much or too long is told by the log', async () => {
  const { logs } = await runCapability(
    saying((ctx) => {
      ctx.notify('x'.repeat(2_001), { audience: 'a'.repeat(200) });
      for (let count = 0; count < 50; count++) ctx.notify('again', { audience: '' });
    }),
    {},
  );
  expect(logs.filter(({ notification }) => notification !== undefined)).toHaveLength(50);
  expect(logs[0]).toMatchObject({ message: 'x'.repeat(2_000), notification: { audience: 'a'.repeat(128) } });
  expect(logs[1]).toMatchObject({ message: 'x' });
  expect(logs.at(-1)).toMatchObject({ message: 'again' });
  expect(logs.at(-1)).not.toHaveProperty('notification');
});

test('a secret that lies across the cut is hidden, and no character is cut in two', async () => {
  const secret = 'hunter2-very-secret-value';
  const { logs } = await runCapability(
    saying((ctx) => {
      ctx.redact(secret);
      ctx.notify('x'.repeat(1_990) + secret);
      ctx.notify(`${'x'.repeat(1_999)}😀`);
    }),
    {},
  );
  expect(logs.map(({ message }) => message).join('')).not.toMatch(/hunter2|secret-value/);
  expect(logs[1]).toMatchObject({ message: 'x'.repeat(1_999) });
  expect(logs[2]).toMatchObject({ message: '😀' });
});

test('what is no level counts as info', async () => {
  const ended = await runCapability(
    saying((ctx) => ctx.notify('look', { level: 'success' as 'info' })),
    {},
  );
  expect(ended.error).toBeUndefined();
  expect(ended.logs).toMatchObject([{ level: 'info', message: 'look', notification: {} }]);
});
