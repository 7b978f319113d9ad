import { expect, it } from 'vitest';
import { isSecretName, redactText } from './redaction.js';

it.each([
  ['login failed: password=hunter2, user=ada', 'login failed: password=[redacted], user=ada'],
  ['login with DB_PASSWORD = hunter2 now', 'login with DB_PASSWORD = [redacted] now'],
  [`${'X'.repeat(100)}_TOKEN=abc`, `${'X'.repeat(100)}_TOKEN=[redacted]`],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer [redacted]'],
  ['sent bearer abc.def', 'sent bearer [redacted]'],
  ['the forbearer abc', 'the forbearer abc'],
  ['{"token":"abc","a":1}', '{"token":"[redacted]","a":1}'],
  ['{"x-api-key":"k-1","a":1}', '{"x-api-key":"[redacted]","a":1}'],
  ['postgres://me:secret@db/x', 'postgres://me:[redacted]@db/x'],
  ['my_db+tls://:pa55@db/x', 'my_db+tls://:[redacted]@db/x'],
  ['no secret here: http://host:80/x', 'no secret here: http://host:80/x'],
])('hides what looks like a secret in %j', (text, hidden) => {
  expect(redactText(text)).toBe(hidden);
});

it.each(['a-', 'a', 'token', 'token ', 'token= ', 'bearer  ', 'authorization: bearer', '://', 'a://u:'])(
  'takes no more than time in proportion to a text of %j over and over',
  (unit) => {
    const text = unit.repeat((256 * 1024) / unit.length);
    const before = performance.now();
    redactText(text);
    // Milliseconds; the square of the length is half a minute.
    expect(performance.now() - before).toBeLessThan(2_000);
  },
);

it('knows the names of secrets', () => {
  for (const name of ['password', 'DB_PASS', 'accessToken', 'x-api-key', 'Set-Cookie', 'private_key'])
    expect(isSecretName(name), name).toBe(true);
  for (const name of ['user', 'passenger', 'monkey']) expect(isSecretName(name), name).toBe(false);
});
