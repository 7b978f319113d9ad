import { expect, it } from 'vitest';
import { redactFields } from './redact-fields.js';

it('hides members by their name, at any depth', () => {
  const fields = { user: 'ada', accessToken: 't', nested: [{ PASSWORD: 'p', note: 'token=x' }], n: 1 };
  expect(redactFields(fields)).toEqual({
    user: 'ada',
    accessToken: '[redacted]',
    nested: [{ PASSWORD: '[redacted]', note: 'token=[redacted]' }],
    n: 1,
  });
});
