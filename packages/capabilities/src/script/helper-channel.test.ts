import { expect, test } from 'vitest';
import { createHelperChannel } from './helper-channel.js';
import type { ScriptMessage } from './script-input.js';

const said = (fields: unknown): ScriptMessage | undefined => {
  const heard: ScriptMessage[] = [];
  const channel = createHelperChannel({
    hide: (text) => text,
    log: (message) => void heard.push(message),
    progress: () => undefined,
    notify: () => undefined,
  });
  const words = ['warn', 'careful', JSON.stringify(fields)].map((word) =>
    Buffer.from(word).toString('base64'),
  );
  channel.write(Buffer.from(`log ${words.join(' ')}\n`));
  return heard[0];
};

test('of fields that are too long together the short ones stay, and the others say how long they were', () => {
  const context = { rows: 'x'.repeat(9_000) };
  const fields = { level: 'error', context, type: 'import', timestamp: 7 };
  expect(said(fields)).toEqual({
    ...{ level: 'warn', message: 'careful' },
    fields: { ...fields, context: `[${JSON.stringify(context).length} characters left out]` },
  });
});

test('however many there are, what is kept is bounded', () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_none, at) => [`field-${at}`, at]));
  const { fields = {} } = said(many) ?? {};
  expect(Object.keys(fields).length).toBeGreaterThan(100);
  expect(JSON.stringify(fields).length).toBeLessThan(24 * 1024);
  expect(said({ at: 1 })?.fields).toEqual({ at: 1 });
});
