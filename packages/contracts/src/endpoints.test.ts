import { describe, expect, it } from 'vitest';
import { endpointPath, ENDPOINTS } from './endpoints.js';

const rows = Object.values(ENDPOINTS);

describe('the endpoints table', () => {
  it('names each method and path of a server once', () => {
    const keys = rows.map(
      ({ server, method, path }) => `${server} ${method} ${path.replaceAll(/:\w+/g, ':')}`,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('fills parameters in, percent-encoded', () => {
    expect(endpointPath('showJob', { id: 'a/b' })).toBe('/jobs/a%2Fb');
    expect(endpointPath('listJobs')).toBe('/jobs');
  });

  it('asks everybody for a credential, but whoever looks whether a server is up and what it is', () => {
    const open = Object.entries(ENDPOINTS).flatMap(([name, { auth }]) => (auth === 'none' ? [name] : []));
    expect(open).toEqual([
      'runnerHealth',
      'runnerLive',
      'runnerReady',
      'runnerManifest',
      'runnerStatus',
      'jobForgeHealth',
      'jobForgeLive',
      'jobForgeReady',
      'openApi',
      'asyncApi',
    ]);
  });

  it('refuses a path whose parameter is missing', () => {
    expect(() => endpointPath('showJob')).toThrow(/"id"/);
  });
});
