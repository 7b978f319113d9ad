import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REQUIREMENTS, renderText, runContract } from '@controlplane/contract-test-kit';
import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, startPostgres, type Cluster } from './postgres.js';
import { startBreakingProxy } from '../broken-runners/control-plane/proxy.mjs';

const TOKEN = 'an-admin-token-of-this-test-0123456789';
const LIMIT_MS = 120_000;
const OWN = REQUIREMENTS.filter(({ profile }) => profile === 'control-plane');
const why = missingPostgres();
if (why !== undefined) console.warn(`SKIPPED: JobForge is not judged over PostgreSQL here: ${why}.`);

/** A JobForge that asks for credentials, whose leases are over soon. */
function startForge(store: string, limits: { readonly maxLogBytes?: number } = {}): Promise<JobForge> {
  return createJobForge({
    store,
    listen: { port: 0 },
    auth: { adminToken: TOKEN, maxFailuresPerMinute: 100_000 },
    limits: { leaseMs: 3_000, heartbeatIntervalMs: 1_000, ...limits },
  }).start();
}

async function expectConformant(url: string): Promise<void> {
  const report = await runContract({ kind: 'control-plane', url, token: TOKEN }, { strict: true });
  expect(report.conformant, renderText(report)).toBe(true);
  expect(report.results.map(({ id, status }) => `${id} ${status}`)).toEqual(
    OWN.map(({ id }) => `${id} passed`),
  );
  expect(JSON.stringify(report)).not.toContain(TOKEN);
}

describe('JobForge over SQLite', () => {
  let forge: JobForge;
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'));
  beforeAll(async () => {
    forge = await startForge(`sqlite:${join(folder, 'jobs.db')}`);
  });
  afterAll(async () => {
    await forge?.stop({ drainMs: 1 });
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps every requirement of control planes', { timeout: LIMIT_MS }, () =>
    expectConformant(String(forge.url)),
  );

  it('is left without jobs that wait for ever', { timeout: LIMIT_MS }, async () => {
    const url = String(forge.url);
    const run = ['control-plane.takes-batches', 'control-plane.waits-for-a-runner', 'control-plane.drains'];
    await runContract({ kind: 'control-plane', url, token: TOKEN }, { run });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const waiting = await fetch(`${url}/jobs?status=queued`, { headers });
    expect(await waiting.json()).toMatchObject({ items: [] });
  });

  describe('behind a proxy that breaks one requirement', () => {
    it.concurrent.each(OWN.map(({ id }) => [id]))('%s fails', { timeout: LIMIT_MS }, async (id) => {
      const proxy = await startBreakingProxy({ target: String(forge.url), breaks: id, token: TOKEN });
      try {
        const { results } = await runContract(
          { kind: 'control-plane', url: proxy.url, token: TOKEN },
          { run: [id] },
        );
        expect(results).toMatchObject([
          { id, status: 'failed', finding: { again: expect.stringContaining('--control-plane') } },
        ]);
      } finally {
        await proxy.close();
      }
    });

    it(
      'work that was lost while it wrote is offered again, although its job failed',
      {
        timeout: LIMIT_MS,
      },
      async () => {
        const id = 'control-plane.fails-lost-writes';
        const proxy = await startBreakingProxy({
          ...{ target: String(forge.url), breaks: id, token: TOKEN, offersAgain: true },
        });
        try {
          const { results } = await runContract(
            { kind: 'control-plane', url: proxy.url, token: TOKEN },
            { run: [id] },
          );
          expect(results).toMatchObject([
            { status: 'failed', finding: { expected: expect.stringContaining('no offer') } },
          ]);
        } finally {
          await proxy.close();
        }
      },
    );
  });
});

describe('a control plane that keeps few bytes of a log', () => {
  it.each([100, 1_000])('keeps what is required of logs: %i', { timeout: LIMIT_MS }, async (maxLogBytes) => {
    const forge = await startForge('memory', { maxLogBytes });
    try {
      const report = await runContract(
        { kind: 'control-plane', url: String(forge.url), token: TOKEN },
        { run: ['control-plane.caps-logs', 'control-plane.keeps-characters-whole'] },
      );
      expect(
        report.results.map(({ status }) => status),
        renderText(report),
      ).toEqual(['passed', 'passed']);
    } finally {
      await forge.stop({ drainMs: 1 });
    }
  });
});

describe.skipIf(why !== undefined)('JobForge over PostgreSQL', () => {
  let cluster: Cluster;
  let forge: JobForge;
  beforeAll(async () => {
    cluster = await startPostgres();
    forge = await startForge(cluster.newUrl());
  });
  afterAll(async () => {
    await forge?.stop({ drainMs: 1 });
    await cluster?.stop();
  });

  it('keeps every requirement of control planes', { timeout: LIMIT_MS }, () =>
    expectConformant(String(forge.url)),
  );
});
