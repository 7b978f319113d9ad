import { describe, expect, it } from 'vitest';
import type { Capability } from '../capability/capability.js';
import { runCapability } from '../testing/run-capability.js';
import { conformanceCapabilities } from './conformance-capabilities.js';

function fixture(id: string): Capability {
  const found = conformanceCapabilities().find((capability) => capability.id === id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

const run = (id: string, input: unknown, options = {}) => runCapability(fixture(id), input as never, options);

describe('the fixture capabilities', () => {
  it.each([
    ['conformance.echo', { text: 'ä🚀' }, { text: 'ä🚀' }],
    ['conformance.sleep', { ms: 1 }, { sleptMs: 1 }],
    ['conformance.progress', { steps: 2 }, { steps: 2 }],
    ['conformance.logs', { lines: 2 }, { lines: 2 }],
    ['conformance.big', { bytes: 70_000 }, { text: 'x'.repeat(70_000) }],
    ['conformance.stubborn', { ms: 1 }, { sleptMs: 1 }],
    ['conformance.block', { ms: 1 }, { blockedMs: 1 }],
  ])('%s does what it is asked', async (id, input, data) => {
    expect(await run(id, input)).toMatchObject({ outcome: 'succeeded', data });
  });

  it('fail as they are told: foreseen with the error of the input, unforeseen as retryable EXECUTION_FAILED', async () => {
    expect(
      await run('conformance.fail', { code: 'OUT_OF_INK', message: 'no ink', retryable: false }),
    ).toMatchObject({
      outcome: 'failed',
      error: { code: 'OUT_OF_INK', message: 'no ink', retryable: false },
    });
    expect(await run('conformance.crash', {})).toMatchObject({
      outcome: 'failed',
      error: { code: 'EXECUTION_FAILED', retryable: true },
    });
  });

  it('tell what they do while they do it', async () => {
    const { progress } = await run('conformance.progress', { steps: 4 });
    expect(progress.map(({ fraction }) => fraction)).toEqual([0.25, 0.5, 0.75, 1]);
    const { logs } = await run('conformance.logs', { lines: 3 });
    expect(logs.map(({ message }) => message)).toEqual(['line 0', 'line 1', 'line 2']);
  });

  it('stop waiting when they are cancelled', async () => {
    const signal = AbortSignal.abort();
    expect(await run('conformance.sleep', { ms: 60_000 }, { signal })).toMatchObject({
      outcome: 'cancelled',
    });
  });

  it('refuse what is no input of theirs', async () => {
    expect(await run('conformance.big', { bytes: -1 })).toMatchObject({
      outcome: 'failed',
      error: { code: 'VALIDATION_ERROR' },
    });
  });
});
