import { REQUIREMENTS, runContract } from '@controlplane/contract-test-kit';
import { describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';
import { findMutants, killMatrixPage } from './kill-matrix.js';

describe('the broken runners', () => {
  it('are one for each requirement, and no other', () => {
    expect([...findMutants().keys()].toSorted()).toEqual(REQUIREMENTS.map(({ id }) => id).toSorted());
  });

  it('are in docs/kit-kill-matrix.md (npx vitest run contract-tests/kit/broken-runners.test.ts --update)', async () => {
    expect(killMatrixPage()).not.toContain('**nothing**');
    await expect(killMatrixPage()).toMatchFileSnapshot('../../docs/kit-kill-matrix.md');
  });
});

describe('a case fails on the runner that breaks its requirement (kill-matrix.slow.test.ts: all of them)', () => {
  it.each([
    ['registration.registers', 'failed'],
    ['health.complete', 'warned'],
    ['execute.rejects-invalid-input', 'failed'],
    ['streaming.one-terminal-event', 'failed'],
    ['cancellation.ends-as-cancelled', 'failed'],
    ['shutdown.finishes-running-work', 'failed'],
  ])('%s', { timeout: 60_000 }, async (id, status) => {
    const { results, conformant } = await runContract(handWrittenRunner(id), { run: [id] });
    expect(results).toMatchObject([{ id, status }]);
    expect(conformant).toBe(status === 'warned');
  });
});
