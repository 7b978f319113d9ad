import { CLOSE_CODES } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { eventsOf } from '../testing/dial-in-runner.js';
import { createManualClock } from '../testing/manual-clock.js';
import { PROBE_CAPABILITY } from './runner-verification.js';

const test = openDialIns();
afterEach(test.close);

const MINUTE_MS = 60_000;
const refused = {
  type: 'failed',
  executionTimeMs: 0,
  error: {
    ...{ id: 'e1', timestamp: new Date().toISOString(), category: 'RESOURCE_NOT_FOUND', severity: 'error' },
    ...{ code: 'CAPABILITY_NOT_FOUND', message: 'no', service: 'stub', contractVersion: '1.0.0' },
    retryable: false,
  },
};

async function verifying() {
  const clock = createManualClock();
  const lines: unknown[] = [];
  const forge = await test.listening({
    clock,
    log: (...line) => void lines.push(line),
    // Nobody beats in these tests.
    limits: { verifyIntervalMs: MINUTE_MS, heartbeatIntervalMs: 10 * MINUTE_MS },
  });
  const runner = await test.socket(forge.url);
  await runner.register();
  const offer = async () => {
    const offered = runner.offer();
    clock.advance(MINUTE_MS);
    return offered;
  };
  return { clock, forge, runner, lines, offer };
}

describe('runners that are verified every minute', () => {
  it('stay as they are while an execution comes through', async () => {
    const { runner, offer, lines } = await verifying();
    for (let round = 0; round < 2; round++) {
      const offered = await offer();
      expect(offered).toMatchObject({ capabilityId: PROBE_CAPABILITY });
      await runner.accept(offered);
      const [event] = eventsOf(offered, [refused], 1);
      if (event !== undefined) runner.tell(offered, event);
      expect(await runner.next('acknowledged')).toMatchObject({
        executions: [{ executionId: offered.executionId }],
      });
      // The next round is set once this one is over.
      await new Promise(setImmediate);
    }
    expect(JSON.stringify(lines)).not.toContain('does not come through');
  });

  it('connect anew where one does not, although they answer', async () => {
    const { clock, runner, offer, lines } = await verifying();
    await offer();
    clock.advance(10_000);
    expect(await runner.closed).toBe(CLOSE_CODES.silent);
    expect(JSON.stringify(lines)).toContain('an execution does not come through to it');
  });
});
