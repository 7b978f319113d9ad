import { describe, expect, test } from 'vitest';
import { greet } from './runner-fixture.suite.js';
import { resolveOptions } from './options.js';
import { publicUrlOf } from './public-url.js';

const given = { name: 'images', capabilities: [greet] };

describe('resolveOptions', () => {
  test('has a default for everything but the name', () => {
    expect(resolveOptions(given, {})).toEqual({
      name: 'images',
      version: '0.0.0',
      controlPlaneUrl: 'http://127.0.0.1:3002',
      port: 3000,
      host: '127.0.0.1',
      publicUrl: undefined,
      maxConcurrency: 10,
      labels: {},
      tags: [],
      machineId: undefined,
      buildId: undefined,
      drainMs: 25_000,
      cancelGraceMs: 10_000,
      maxLogBytes: 1_048_576,
      maxBodyBytes: 4_194_304,
      logLevel: 'info',
      mountAt: undefined,
      delivery: 'push',
      credential: undefined,
      stateDirectory: undefined,
      maxJobs: undefined,
      idleTimeoutMs: undefined,
      maxUptimeMs: undefined,
      isPortGiven: false,
      isKilledEarly: false,
    });
  });

  test('takes from the environment what the program leaves out', () => {
    const environment = {
      JOBFORGE_URL: 'http://forge:3002',
      PORT: '0',
      HOST: '0.0.0.0',
      RUNNER_NAME: 'other',
      RUNNER_PUBLIC_URL: 'http://images:8080',
      RUNNER_MAX_CONCURRENCY: '3',
      RUNNER_LABELS: 'region=eu, gpu=yes',
      RUNNER_TAGS: 'a, b',
      LOG_LEVEL: 'debug',
      RUNNER_DRAIN_MS: '',
    };
    expect(resolveOptions({ ...given, name: undefined }, environment)).toMatchObject({
      name: 'other',
      controlPlaneUrl: 'http://forge:3002',
      port: 0,
      host: '0.0.0.0',
      publicUrl: 'http://images:8080',
      maxConcurrency: 3,
      labels: { region: 'eu', gpu: 'yes' },
      tags: ['a', 'b'],
      logLevel: 'debug',
      drainMs: 25_000,
    });
    expect(resolveOptions({ ...given, port: 8080 }, environment)).toMatchObject({
      name: 'images',
      port: 8080,
    });
  });

  test.each([
    [{ PORT: 'many' }, {}, 'environment variable PORT is "many"'],
    [{ PORT: '70000' }, {}, 'environment variable PORT is "70000"'],
    [{ JOBFORGE_URL: 'forge:3002' }, {}, 'environment variable JOBFORGE_URL is "forge:3002"'],
    [{ RUNNER_LABELS: 'region' }, {}, 'environment variable RUNNER_LABELS is "region"'],
    [{ LOG_LEVEL: 'loud' }, {}, 'environment variable LOG_LEVEL is "loud"'],
    [{}, { maxConcurrency: 0 }, 'option "maxConcurrency" is 0'],
    [{}, { name: undefined }, 'option "name" is not set'],
    [{}, { machineId: 'a b' }, 'option "machineId" is "a b"'],
  ])('refuses %j %j and names option and variable', (environment, change, expected) => {
    expect(() => resolveOptions({ ...given, ...change }, environment)).toThrow(expected);
    expect(() => resolveOptions({ ...given, ...change }, environment)).toThrow(
      /Set option "\w+" or environment variable [A-Z_]+\.$/,
    );
  });

  test('keeps what follows the first = of a label', () => {
    expect(resolveOptions(given, { RUNNER_LABELS: 'selector=a=b,empty=' })).toMatchObject({
      labels: { selector: 'a=b', empty: '' },
    });
  });

  test.each([
    [{ capabilities: [] }, 'option "capabilities" is empty'],
    [{ delivery: 'pigeon' }, 'option "delivery" is "pigeon"'],
    [{ delivery: { kind: 'push', mountAt: 'runner' } }, 'option "delivery.mountAt" is "runner"'],
  ])('refuses %j', (change, expected) => {
    expect(() => resolveOptions({ ...given, ...change } as never, {})).toThrow(expected);
  });
});

describe('the public URL', () => {
  const urlOf = (change: object, port = 4000): string =>
    publicUrlOf(resolveOptions({ ...given, ...change }, {}), port);

  test('is where the runner listens', () => {
    expect(urlOf({})).toBe('http://127.0.0.1:4000');
    expect(urlOf({ host: '::1' })).toBe('http://[::1]:4000');
  });

  test('is this machine to a control plane on this machine, when the runner listens everywhere', () => {
    expect(urlOf({ host: '0.0.0.0' })).toBe('http://127.0.0.1:4000');
    expect(urlOf({ host: '0.0.0.0', controlPlaneUrl: 'http://forge.example:3002' })).toMatch(
      /^http:\/\/[\d.]+:4000$/,
    );
  });

  test('is what it is told, with the mount path once', () => {
    const delivery = { kind: 'push', mountAt: '/runner/' } as const;
    expect(urlOf({ publicUrl: 'https://images.example/' })).toBe('https://images.example');
    expect(urlOf({ publicUrl: 'https://images.example', delivery })).toBe('https://images.example/runner');
    expect(urlOf({ publicUrl: 'https://images.example/runner', delivery })).toBe(
      'https://images.example/runner',
    );
    // A host of the same name is no path.
    expect(urlOf({ publicUrl: 'http://runner', delivery })).toBe('http://runner/runner');
  });
});
