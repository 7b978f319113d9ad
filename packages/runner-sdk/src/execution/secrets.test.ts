import { expect, test } from 'vitest';
import { createSecrets } from './secrets.js';

test('a secret that JSON needs for itself is hidden where it is a value, and nothing breaks', () => {
  const secrets = createSecrets();
  for (const value of ['12345', 'true', '"', '{']) secrets.add(value);
  const given = { port: 12_345, on: true, text: 'say "12345" {', list: [12, '12345'] };
  expect(secrets.hideIn(given)).toEqual({
    port: '[redacted]',
    on: true,
    text: 'say [redacted][redacted][redacted] [redacted]',
    list: [12, '[redacted]'],
  });
  expect(JSON.parse(secrets.hideInJson(JSON.stringify(given)))).toEqual(secrets.hideIn(given));
});
