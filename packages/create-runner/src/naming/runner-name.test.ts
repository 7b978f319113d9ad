import { describe, expect, it } from 'vitest';
import { MAX_NAME_LENGTH, problemWithName, slugOf } from './runner-name.js';

describe('a runner name', () => {
  it.each(['a', 'my-runner', 'images2', 'eu.images_1', '7zip', 'x'.repeat(MAX_NAME_LENGTH)])(
    'accepts %s',
    (name) => {
      expect(problemWithName(name)).toBeUndefined();
    },
  );

  it.each([
    ['', /needed/],
    ['My Runner', /a-z/],
    ['-x', /starting/],
    ['x-', /ending/],
    ['.hidden', /starting/],
    ['@me/runner', /a-z/],
    ['../up', /a-z/],
    ['a/b', /a-z/],
    ['{{name}}', /a-z/],
    ['naïve', /a-z/],
    ['x'.repeat(MAX_NAME_LENGTH + 1), /64 characters/],
    ['http', /Node/],
    ['node_modules', /npm/],
    ['nul', /Windows/],
    ['com1.txt', /Windows/],
  ])('refuses %j and says why', (name, reason) => {
    expect(problemWithName(name)).toMatch(reason);
  });
});

describe('the slug that is offered', () => {
  it.each([
    ['My Runner', 'my-runner'],
    ['  Ünïcode  Läufer ', 'unicode-laufer'],
    ['@acme/Images', 'acme-images'],
    ['../../etc', 'etc'],
    ['日本', 'my-runner'],
    ['http', 'my-http'],
    ['NUL', 'my-nul'],
    ['', 'my-runner'],
  ])('turns %j into %s', (typed, slug) => {
    expect(slugOf(typed)).toBe(slug);
  });

  it.each(['', '---', 'CON', 'fs', 'a'.repeat(200), `${'a'.repeat(62)}--b`, '😀', '..', 'x y z'])(
    'is legal for %j',
    (typed) => {
      expect(problemWithName(slugOf(typed))).toBeUndefined();
    },
  );
});
