import { describe, expect, test } from 'vitest';
import { childEnvironment } from '../execution/isolation/child-environment.js';
import { isolationOf } from './isolation.js';
import { fromWords, toWords } from './thrown-words.js';
import { CapabilityError } from '../errors/capability-error.js';

const here = import.meta.url;

describe('what a definition says of isolation', () => {
  test('is nothing where it asks for none', () => {
    expect(isolationOf({})).toBeUndefined();
    expect(isolationOf({ isolation: 'none' })).toBeUndefined();
  });

  test.each([here, new URL(here), new URL(here).pathname])('names its module by URL or path', (module) => {
    expect(isolationOf({ isolation: 'thread', module })).toEqual({
      kind: 'thread',
      module: here,
      environment: [],
    });
  });

  test.each([
    ['no module', { isolation: 'thread' }, 'module is missing; set module: import.meta.url'],
    [
      'a module that is not there',
      { isolation: 'process', module: '/not/there.js' },
      'module is "/not/there.js"',
    ],
    [
      'a module that is no file',
      { isolation: 'process', module: 'https://example.com/a.js' },
      'module is "https:',
    ],
    ['another kind', { isolation: 'container', module: here }, 'expected none, thread or process'],
    [
      'a credential of the runner',
      { isolation: 'process', module: here, environment: ['RUNNER_TOKEN'] },
      "environment names RUNNER_TOKEN, which holds the runner's own credential",
    ],
    [
      'a credential for another control plane',
      { isolation: 'process', module: here, environment: ['SWAMP_WORKER_TOKEN'] },
      "environment names SWAMP_WORKER_TOKEN, which holds the runner's own credential",
    ],
  ])('with %s cannot be used', (_what, choice, message) => {
    expect(isolationOf(choice as Parameters<typeof isolationOf>[0])).toContain(message);
  });
});

test('a process is given no credential of the runner, named or not', () => {
  const environment = {
    PATH: '/bin',
    LC_ALL: 'C',
    A: '1',
    B: '2',
    RUNNER_SECRET: 's',
    JOBFORGE_TOKEN: 't',
    RUNNER_CREDENTIAL_FILE: 'f',
  };
  expect(childEnvironment(['A', 'RUNNER_SECRET'], environment)).toEqual({
    PATH: '/bin',
    LC_ALL: 'C',
    A: '1',
  });
});

describe('a thrown value in words', () => {
  test('comes back as what it was', () => {
    const thrown = new CapabilityError('NOT_FOUND', 'no image', {
      retryable: false,
      cause: new TypeError('deep'),
    });
    expect(fromWords(toWords(thrown))).toMatchObject({
      name: 'CapabilityError',
      code: 'NOT_FOUND',
      options: { retryable: false },
      cause: { name: 'TypeError', message: 'deep' },
    });
  });

  test.each([
    undefined,
    'text',
    7,
    Object.create(null),
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    ),
  ])('never throws', (value) => {
    expect(typeof toWords(value).message).toBe('string');
  });

  test('has an end even where its causes have none', () => {
    const loop: { cause?: unknown; message: string } = { message: 'loop' };
    loop.cause = loop;
    expect(JSON.stringify(toWords(loop)).match(/loop/g)).toHaveLength(11);
  });
});
