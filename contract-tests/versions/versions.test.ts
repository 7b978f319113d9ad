/**
 * Two that speak different minors of the contract work together: between the runner and JobForge stands one who gives
 * each the words of another minor.
 */
import { renderText, runContract } from '@controlplane/contract-test-kit';
import { createRunner, type Runner } from '@controlplane/runner-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActs, createCapabilities } from '../deliveries/capabilities.js';
import { outcomes } from '../deliveries/outcomes.suite.js';
import { openStage, type DeliveryKind, type Stage } from '../deliveries/stage.js';
import { telling } from '../deliveries/telling.suite.js';
import { freePort } from '../end-to-end/processes.js';
import { first, later, type Rewrite } from './message-rewriting.js';
import { startRewritingProxy, type RewritingProxy } from './rewriting-proxy.js';

/** A stage whose runner and JobForge hear one another through proxies. */
function stageBetween(delivery: DeliveryKind, rewrite: Rewrite) {
  let stage: Stage;
  let runner: Runner;
  const proxies: RewritingProxy[] = [];
  const proxy = async (target: () => string, leadsToRunner: boolean): Promise<RewritingProxy> => {
    const started = await startRewritingProxy({ target, leadsToRunner, rewrite });
    proxies.push(started);
    return started;
  };
  beforeAll(async () => {
    stage = await openStage(delivery, createActs());
    const toForge = await proxy(() => String(stage.forge.url), false);
    const port = delivery === 'push' ? await freePort() : undefined;
    const pushed =
      port === undefined
        ? {}
        : { port, publicUrl: (await proxy(() => `http://127.0.0.1:${port}`, true)).url };
    runner = await stage.runner({ controlPlaneUrl: toForge.url, ...pushed });
  });
  afterAll(async () => {
    await stage.close();
    await Promise.all(proxies.map((one) => one.close()));
    for (const { rewritten } of proxies) expect(rewritten).toBeGreaterThan(0);
  });
  return { stage: () => stage, runner: () => runner };
}

describe.each<DeliveryKind>(['push', 'long-poll', 'websocket'])(
  'a runner and a JobForge that take one another for a later minor, by %s,',
  (delivery) => {
    const { stage, runner } = stageBetween(delivery, later);

    it('speak the lower one', async () => {
      const shown = await stage().forge.operations.showRunner(String(runner().runnerId));
      expect(shown).toMatchObject({ status: 'healthy' });
      expect(shown).not.toHaveProperty('fromALaterMinor');
      expect(JSON.stringify(shown.capabilities)).not.toContain('fromALaterMinor');
    });
    describe('outcomes', () => {
      outcomes(stage);
    });
    describe('what is told', () => {
      telling(stage);
    });
  },
);

describe('a runner and a JobForge that take one another for the first version, by push,', () => {
  const { stage } = stageBetween('push', first);

  it('work together', async () => {
    const input = { text: 'grüße', list: [1, null] };
    const job = await stage().submit('stage.echo', input);
    expect(await job.result()).toMatchObject({ success: true, data: input });
  });

  it('know a failure by its code', async () => {
    const job = await stage().submit('stage.parsed', { text: 'refused' });
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'VALIDATION_ERROR' } });
  });
});

describe.each([
  ['a later minor', later],
  ['the first version', first],
])('a kit that hears a runner speak %s', (_what, rewrite) => {
  it('finds it conformant', { timeout: 60_000 }, async () => {
    const capabilities = createCapabilities(createActs());
    const words = { name: 'versions', version: '1.0.0', port: 0, logger: false } as const;
    // What it registers with is the kit's alone where the kit starts it.
    const controlPlaneUrl = 'http://127.0.0.1:1';
    const runner = await createRunner({
      ...words,
      capabilities,
      controlPlaneUrl,
      handleSignals: false,
    }).start();
    const proxy = await startRewritingProxy({
      target: () => String(runner.url),
      leadsToRunner: true,
      rewrite,
    });
    try {
      const run = ['execute.*', 'health.*', 'manifest.*', 'errors.*'];
      const report = await runContract({ kind: 'url', url: proxy.url }, { run });
      expect(report.conformant, renderText(report)).toBe(true);
      expect(report.results.filter(({ status }) => status === 'passed').length).toBeGreaterThan(5);
      expect(proxy.rewritten).toBeGreaterThan(10);
    } finally {
      await proxy.close();
      await runner.stop({ drainMs: 1 });
    }
  });
});
