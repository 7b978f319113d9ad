import { readdirSync, readFileSync } from 'node:fs';
import { REQUIREMENTS, runContract } from '@controlplane/contract-test-kit';
import { describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';

const folder = new URL('../broken-runners/', import.meta.url);
const source = readdirSync(folder)
  .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  .join('\n');
const switches = [...source.matchAll(/broken\('([^']+)'\)/g)].flatMap(([, id]) => id ?? []);

describe('the broken runners', () => {
  it('are one for each requirement, and no other', () => {
    expect([...new Set(switches)].toSorted()).toEqual(REQUIREMENTS.map(({ id }) => id).toSorted());
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
