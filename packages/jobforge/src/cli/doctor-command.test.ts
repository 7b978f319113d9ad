import type { HealthCheck, RunnerMetadata } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, serveApi, submission } from '../api/api-server.fixture.js';
import { apiWithRunner } from './api-with-runner.fixture.js';
import type { CliContext } from './cli-context.js';
import { runJobforge } from './cli-run.fixture.js';
import { DoctorReport, type DoctorCheck } from './doctor-check.js';
import { checkFolder } from './doctor-machine.js';
import { driftOf } from './doctor-runners.js';
import { checkClock } from './doctor-server.js';
import type { FolderFacts, MachineFacts } from './machine-facts.js';

afterEach(closeApis);

const GB = 1024 ** 3;
const healthyFolder: FolderFacts = { mode: 0o700, writable: true, freeBytes: 50 * GB, hasModes: true };
const machine = (folder: FolderFacts | undefined, taken = false): MachineFacts => ({
  folder: async () => folder,
  isTaken: async () => taken,
});

async function doctor(
  url: string,
  overrides: Partial<CliContext> = {},
): Promise<{ code: number; report: DoctorReport; of: (id: string) => DoctorCheck | undefined }> {
  const run = await runJobforge(url, ['doctor', '--json'], { machine: machine(healthyFolder), ...overrides });
  const report = DoctorReport.parse(JSON.parse(run.out[0] ?? ''));
  return { code: run.code, report, of: (id) => report.checks.find((check) => check.id === id) };
}

describe('doctor', () => {
  it('finds nothing where nothing is wrong', async () => {
    const { url } = await apiWithRunner();
    const version = '0.0.0-test';
    const { code, report } = await doctor(url, { version });
    expect(report.checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
  });

  it('says in text what it found, and what to do about it', async () => {
    const { url } = await serveApi();
    const { code, out } = await runJobforge(url, ['doctor'], { machine: machine(healthyFolder) });
    expect(code).toBe(0);
    const text = out.join('\n');
    expect(text).toContain('✓ server   JobForge answers at');
    expect(text).toContain('! runners  no runner is registered: jobs wait');
    expect(text).toContain('npx create-runner');
    expect(out.at(-1)).toMatch(/^0 failed, \d warnings?$/);
  });

  it('ends with 4 where nobody answers, and says whether the port is free', async () => {
    const { code, of } = await doctor('http://127.0.0.1:1');
    expect(code).toBe(4);
    expect(of('server')).toMatchObject({
      status: 'failed',
      remedy: expect.stringContaining('jobforge dev') as string,
    });
    expect(of('port')).toMatchObject({ status: 'ok', found: 'port 1 is free' });
    const taken = await doctor('http://127.0.0.1:1', { machine: machine(healthyFolder, true) });
    expect(taken.of('port')).toMatchObject({ status: 'failed' });
  });

  it('names runners of one name that differ, and those that are offline', async () => {
    const { url, operations } = await apiWithRunner();
    operations.addRunner({ id: 'r2', name: 'my-runner', version: '2.0.0' });
    operations.addRunner({ id: 'r3', name: 'gone', status: 'offline' });
    const { of, code } = await doctor(url);
    expect(of('drift')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('my-runner: version') as string,
    });
    expect(of('runners')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('gone (r3)') as string,
    });
    expect(code).toBe(0);
  });

  it('names the oldest job that waits, once it has waited for a minute', async () => {
    const { url } = await serveApi();
    await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    expect((await doctor(url)).of('jobs')).toMatchObject({ status: 'ok' });
    const { of } = await doctor(url, { now: () => Date.now() + 61_000 });
    expect(of('jobs')).toMatchObject({ status: 'warning', found: expect.stringContaining(': a') as string });
  });

  it('looks at the folder that it is told of, and skips one that nobody named', async () => {
    const facts = machine(undefined);
    expect(await checkFolder(facts, { path: '/x', named: true })).toMatchObject([{ status: 'failed' }]);
    expect(await checkFolder(facts, { path: './data', named: false })).toMatchObject([{ status: 'skipped' }]);
  });

  it.each([
    [{ mode: 0o755 }, { id: 'data', status: 'warning', found: /mode 755/ }],
    [{ writable: false }, { id: 'data', status: 'failed', found: /cannot be written/ }],
    [{ freeBytes: 0.5 * GB }, { id: 'disk', status: 'warning', found: /512 MB free/ }],
    [{ freeBytes: 0.01 * GB }, { id: 'disk', status: 'failed', found: /10 MB free/ }],
    [
      { mode: 0o777, hasModes: false },
      { id: 'data', status: 'ok', found: /this user/ },
    ],
  ] as const)('judges a folder with %j', async (facts, { id, status, found }) => {
    const checks = await checkFolder(machine({ ...healthyFolder, ...facts }), { path: '/x', named: true });
    expect(checks.find((check) => check.id === id)).toMatchObject({
      status,
      found: expect.stringMatching(found) as string,
    });
  });

  it.each([
    [0, 'ok'],
    [4_000, 'ok'],
    [-4_000, 'ok'],
    [20_000, 'warning'],
    [-20_000, 'warning'],
    [400_000, 'failed'],
  ])('judges clocks that differ by %i ms', (difference, status) => {
    const askedAt = Date.parse('2026-01-31T12:00:00Z');
    const timestamp = new Date(askedAt + 50 + difference).toISOString();
    const health: HealthCheck = {
      service: 'jobforge',
      status: 'healthy',
      version: '1',
      uptime: 1,
      checks: [],
      timestamp,
    };
    expect(checkClock(health, { askedAt, answeredAt: askedAt + 100 })).toMatchObject({ status });
  });

  it('tells of no drift where runners agree', () => {
    const runner = {
      id: 'a',
      name: 'x',
      version: '1',
      contractVersion: '1.0.0',
      capabilities: [],
    } as unknown as RunnerMetadata;
    expect(driftOf([runner, { ...runner, id: 'b' }])).toEqual([]);
    expect(driftOf([runner, { ...runner, id: 'b', buildId: 'f00' }])).toEqual(['build none (1), f00 (1)']);
  });
});
