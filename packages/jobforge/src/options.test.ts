import { describe, expect, it } from 'vitest';
import { createJobForge } from './control-plane.js';
import { resolveOptions, type JobForgeOptions } from './options.js';

const make = (options: object) => () => createJobForge(options);

describe('options', () => {
  it.each([
    [{ stor: 'memory' }, 'createJobForge does not know "stor" (did you mean "store"?)'],
    [{ listen: { prot: 1 } }, 'listen does not know "prot" (did you mean "port"?)'],
    [{ retention: { maxJob: 1 } }, 'retention does not know "maxJob" (did you mean "maxJobs"?)'],
    [{ limits: { leaseMS: 1 } }, 'limits does not know "leaseMS" (did you mean "leaseMs"?)'],
  ])('that are not known are refused by name: %j', (options, message) => {
    expect(make(options)).toThrow(new TypeError(message));
  });

  it.each([
    [{ limits: { leaseMs: '20s' } }, 'limits.leaseMs "20s" is no whole number of at least 0'],
    [{ limits: { drainMs: -1 } }, 'limits.drainMs -1 is no whole number of at least 0'],
    [{ retention: { maxAgeMs: 1.5 } }, 'retention.maxAgeMs 1.5 is no whole number of at least 0'],
    [{ listen: { port: 70_000 } }, 'listen.port 70000 is no port: expected a whole number from 0 to 65535'],
    [
      { listen: false, accept: ['swarmlet'] },
      'accept lets runners in over HTTP, and listen is false: give a port, or leave accept out',
    ],
    [{ durability: 'half' }, 'durability "half" is not known: expected "full" or "normal"'],
  ])('that cannot be understood are refused with their value: %j', (options, message) => {
    expect(make(options)).toThrow(new TypeError(message));
  });

  it('that are undefined have their default', () => {
    const { limits, listen } = resolveOptions({
      limits: { leaseMs: undefined },
      listen: { host: undefined },
    } as unknown as JobForgeOptions);
    expect(limits.leaseMs).toBe(20_000);
    expect(listen).toMatchObject({ host: '127.0.0.1', port: 3002 });
  });
});
