import { expect, it } from 'vitest';
import { addressIn } from './npm-registry.js';

it('is the address that npm says, whatever it warns of before', () => {
  expect(addressIn('npm warn Unknown user config\nhttps://npm.example/mirror/\n')).toBe(
    'https://npm.example/mirror',
  );
});

it('is none with a password in it, and none where npm says no address', () => {
  expect(addressIn('https://ada:secret@npm.example/\n')).toBeUndefined();
  expect(addressIn('undefined\n')).toBeUndefined();
});
