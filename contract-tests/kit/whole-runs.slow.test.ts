import { renderText, runContract } from '@controlplane/contract-test-kit';
import { describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';

describe('in a run over all requirements', () => {
  it.each([
    ['execute.rejects-invalid-input', 'failed'],
    ['streaming.one-terminal-event', 'failed'],
    ['health.complete', 'warned'],
  ])('%s is found on the runner that breaks it', { timeout: 240_000 }, async (id, status) => {
    const { results, conformant } = await runContract(handWrittenRunner(id));
    expect(results.find((result) => result.id === id)?.status).toBe(status);
    expect(conformant).toBe(status === 'warned');
  });
});

describe('on a conformant runner', () => {
  it.each([11, 12, 13, 14, 15])(
    'no case fails in the order of seed %i',
    { timeout: 240_000 },
    async (seed) => {
      const report = await runContract(handWrittenRunner(), { seed, strict: true });
      expect(report.conformant, renderText(report)).toBe(true);
    },
  );
});

describe('a run over core', () => {
  it('takes less than 15 seconds against a local runner', { timeout: 240_000 }, async () => {
    const report = await runContract(handWrittenRunner(), { profiles: ['core'] });
    expect(report.durationMs).toBeLessThan(15_000);
  });
});
