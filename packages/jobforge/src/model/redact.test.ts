import { expect, it } from 'vitest';
import { redactFields, redactText } from './redact.js';

it.each([
  ['login with password=hunter2 now', 'login with password=[redacted] now'],
  ['authorization: Bearer abc.def', 'authorization: Bearer [redacted]'],
  ['postgres://user:pa55@db/x', 'postgres://user:[redacted]@db/x'],
  ['{"api_key":"k-1","a":1}', '{"api_key":"[redacted]","a":1}'],
  ['nothing to hide', 'nothing to hide'],
])('hides what looks like a secret in %j', (text, hidden) => {
  expect(redactText(text)).toBe(hidden);
});

it('hides members by their name, at any depth', () => {
  const fields = { user: 'ada', accessToken: 't', nested: [{ PASSWORD: 'p', note: 'token=x' }], n: 1 };
  expect(redactFields(fields)).toEqual({
    user: 'ada',
    accessToken: '[redacted]',
    nested: [{ PASSWORD: '[redacted]', note: 'token=[redacted]' }],
    n: 1,
  });
});
