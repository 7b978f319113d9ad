import { afterEach, describe, expect, test, vi } from 'vitest';
import { swarmlet, swarmletHosts } from './swarmlet.js';

afterEach(() => vi.unstubAllEnvs());

describe('an environment with several control planes', () => {
  test('is none for one host', () => {
    vi.stubEnv('LONGHOUSE_URLS', 'wss://a.example, wss://b.example');
    expect(() => swarmlet()).toThrow(/LONGHOUSE_URLS lists 2 control planes.*swarmletHosts/);
    expect(swarmlet({ url: 'wss://a.example' }).name).toBe('swarmlet');
    expect(swarmletHosts()).toHaveLength(2);
  });

  test('has no use for one enrollment token, wherever that is from', () => {
    vi.stubEnv('LONGHOUSE_URLS', 'wss://a.example, wss://b.example');
    expect(() => swarmletHosts({ enrollToken: 'one' })).toThrow(
      /option "enrollToken" is good for one of the 2/,
    );
    expect(swarmletHosts({ enrollToken: () => 'each its own' })).toHaveLength(2);
    vi.stubEnv('SWARMLET_ENROLL_TOKEN', 'one');
    expect(() => swarmletHosts()).toThrow(
      /environment variable SWARMLET_ENROLL_TOKEN is good for one of the 2/,
    );
    vi.stubEnv('SWARMLET_ENROLL_TOKEN', '');
    vi.stubEnv('SWARMLET_ENROLL_TOKEN_FILE', '/run/token');
    expect(() => swarmletHosts()).toThrow(/SWARMLET_ENROLL_TOKEN_FILE is good for one of the 2/);
    vi.stubEnv('LONGHOUSE_URLS', 'wss://a.example');
    expect(swarmletHosts()).toHaveLength(1);
  });
});
