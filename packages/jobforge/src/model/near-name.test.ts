import { describe, expect, it } from 'vitest';
import { nearName, unknownNames } from './near-name.js';

describe('a name that is nearly one that is known', () => {
  const known = ['hello.greet', 'image.resize', 'deps.licenses'];

  it.each([
    ['hello.great', 'hello.greet'],
    ['Hello Greet!', 'hello.greet'],
    ['greet', 'hello.greet'],
    ['imgae.resize', 'image.resize'],
    ['deps.license', 'deps.licenses'],
    ['billing.invoice', undefined],
    ['', undefined],
    ['!!', undefined],
  ])('%j is taken for %j', (name, meant) => {
    expect(nearName(name, known)).toBe(meant);
  });

  it('is named beside what was given, and all that is known where none is near', () => {
    expect(unknownNames({ port: 1, hots: 2 }, ['host', 'port'])).toBe('"hots" (did you mean "host"?)');
    expect(unknownNames({ colour: 1 }, ['host', 'port'])).toBe('"colour" (known: host, port)');
    expect(unknownNames({ host: 1 }, ['host', 'port'])).toBeUndefined();
  });
});
