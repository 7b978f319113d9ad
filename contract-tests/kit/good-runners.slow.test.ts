import { renderText, runContract, type ContractReport } from '@controlplane/contract-test-kit';
import { describe, expect, it } from 'vitest';
import { guideRunner, handWrittenRunner, sdkRunner } from './commands.js';

const LIMIT_MS = 240_000;

/** Ids of the results with this status. */
const idsOf = (report: ContractReport, status: string): string[] =>
  report.results.filter((result) => result.status === status).map(({ id }) => id);

/** Shows the whole report when the verdict is another. */
function expectConformant(report: ContractReport, profiles: readonly string[]): void {
  const claimed = report.profiles
    .filter((profile) => profile.claimed && profile.conformant)
    .map(({ profile }) => profile);
  expect({ conformant: report.conformant, claimed }, renderText(report)).toEqual({
    conformant: true,
    claimed: profiles,
  });
}

const EVERY_RUNNER = ['core', 'security', 'resilience', 'performance'];
const JUDGED_BY_CALLS = ['core', 'streaming', 'cancellation', 'security', 'resilience'];
const ALL_PROFILES = [...JUDGED_BY_CALLS, 'performance'];

describe('a runner written by hand in plain Node', () => {
  it('keeps every requirement', { timeout: LIMIT_MS }, async () => {
    const report = await runContract(handWrittenRunner(), { strict: true, seed: 3 });
    expectConformant(report, ALL_PROFILES);
    expect(idsOf(report, 'passed')).toHaveLength(report.results.length);
  });
});

describe('a runner on the SDK', () => {
  it('keeps every requirement', { timeout: LIMIT_MS }, async () => {
    const report = await runContract(sdkRunner('runner'), { strict: true });
    expectConformant(report, ALL_PROFILES);
    expect(idsOf(report, 'passed')).toHaveLength(report.results.length);
  });

  it('keeps them over every delivery, and the report says so', { timeout: LIMIT_MS }, async () => {
    const report = await runContract(sdkRunner('runner'), {
      strict: true,
      delivery: 'all',
      run: ['registration.registers', 'execute.*-input', 'streaming.one-terminal-event', 'health.answers'],
    });
    expect(report.runner.deliveries).toEqual(['push', 'websocket', 'long-poll']);
    const over = new Map(report.results.map(({ id, deliveries = [] }) => [id, deliveries]));
    const passed = (...deliveries: readonly string[]) =>
      deliveries.map((delivery) => ({ delivery, status: 'passed' }));
    expect(over.get('execute.rejects-invalid-input')).toEqual(passed('push', 'websocket', 'long-poll'));
    expect(over.get('health.answers')).toEqual(passed('push'));
    expect(report.conformant, renderText(report)).toBe(true);
  });

  it(
    'conforms by its own capabilities alone, and the one that writes is not called',
    { timeout: LIMIT_MS },
    async () => {
      const report = await runContract(sdkRunner('own-capabilities'), {
        run: ['execute.*', 'errors.*', 'streaming.*', 'cancellation.*'],
        seed: 5,
      });
      expectConformant(report, JUDGED_BY_CALLS);
      const judged = idsOf(report, 'passed');
      expect(judged).toEqual(
        expect.arrayContaining([
          'execute.returns-declared-output',
          'execute.rejects-invalid-input',
          'errors.names-the-path',
          'streaming.repeated-delivery-runs-once',
        ]),
      );
      expect(idsOf(report, 'failed').concat(idsOf(report, 'warned'))).toEqual([]);
    },
  );
});

describe('the runner that the guide writes by hand', () => {
  it('conforms to core by its own capability alone, with warnings', { timeout: LIMIT_MS }, async () => {
    const report = await runContract(guideRunner());
    expectConformant(report, EVERY_RUNNER);
    expect(report.runner).toMatchObject({
      capabilities: ['my-capability'],
      features: [],
      source: 'registration',
    });
    expect(idsOf(report, 'warned')).toEqual(
      expect.arrayContaining([
        'manifest.served',
        'health.complete',
        'errors.unknown-capability-has-its-code',
        'shutdown.deregisters',
      ]),
    );
    expect(report.results.filter(({ breaksConformance }) => breaksConformance)).toEqual([]);
  });

  it('does not conform when what could not be judged counts', { timeout: LIMIT_MS }, async () => {
    const report = await runContract(guideRunner(), { strict: true, run: ['execute.honours-timeout'] });
    expect(report.results).toMatchObject([{ status: 'not-evaluable', breaksConformance: true }]);
    expect(report.conformant).toBe(false);
  });
});
