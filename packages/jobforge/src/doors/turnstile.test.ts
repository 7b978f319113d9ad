import { expect, it } from 'vitest';
import { createTurnstile } from './turnstile.js';

const there = new AbortController().signal;

it('lets calls through until it is closed, and those that waited once it is open', async () => {
  const turnstile = createTurnstile(2);
  expect(await turnstile.pass(there)).toBe(true);
  turnstile.close();
  const waiting = [turnstile.pass(there), turnstile.pass(there)];
  expect(await turnstile.pass(there)).toBe(false);
  turnstile.open();
  expect(await Promise.all(waiting)).toEqual([true, true]);
});

it('does not keep the place of whoever has gone', async () => {
  const turnstile = createTurnstile(1);
  turnstile.close();
  const gone = new AbortController();
  const first = turnstile.pass(gone.signal);
  gone.abort();
  expect(await first).toBe(false);
  expect(await turnstile.pass(gone.signal)).toBe(false);
  const second = turnstile.pass(there);
  turnstile.open();
  expect(await second).toBe(true);
});
