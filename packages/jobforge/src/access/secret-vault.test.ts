import { expect, it } from 'vitest';
import { createVault, newKey, readKey } from './secret-vault.js';

it('opens what it sealed, at the same place alone', () => {
  const vault = createVault(newKey());
  const sealed = vault.seal('A', 'snow ☃');
  expect(vault.open('A', sealed)).toBe('snow ☃');
  expect(vault.open('B', sealed)).toBeUndefined();
  expect(vault.seal('A', 'snow ☃')).not.toBe(sealed);
});

it('opens nothing that was changed, cut or sealed with another key', () => {
  const vault = createVault(newKey());
  const sealed = vault.seal('A', 'value');
  expect(createVault(newKey()).open('A', sealed)).toBeUndefined();
  for (const bad of [
    '',
    'v1',
    'v1.',
    'v2.AAAA',
    sealed.slice(0, -4),
    sealed.replace(/.$/, 'A').replace('v1.', 'v1.A'),
  ])
    expect(vault.open('A', bad)).toBeUndefined();
});

it.each([
  ['base64', Buffer.alloc(32, 1).toString('base64')],
  ['hex, with a line break', `${Buffer.alloc(32, 1).toString('hex')}\n`],
])('reads a key written as %s', (_, text) => {
  expect(readKey(text)).toEqual(Buffer.alloc(32, 1));
});

it('refuses what is no key, without repeating it', () => {
  expect(() => readKey('not-a-key-hunter2')).toThrow(/32 bytes/);
  expect(() => readKey('not-a-key-hunter2')).not.toThrow(/hunter2/);
});
