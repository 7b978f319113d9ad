import { REQUIREMENTS, runContract } from '@controlplane/contract-test-kit';
import { describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';

/**
 * What is judged over links alone is broken by the runner of dial-in.slow.test.ts, what is about control planes by the
 * proxy of control-plane.slow.test.ts.
 */
const overPush = REQUIREMENTS.filter(
  ({ deliveries, needs }) => deliveries.includes('push') && needs !== 'control-plane-url',
);

/** Every case is proved able to fail: on the runner that breaks just its requirement, and with that id. */
describe('the case of each requirement fails on the runner that breaks it', () => {
  it.concurrent.each(overPush.map(({ id, level }) => [id, level === 'MUST' ? 'failed' : 'warned'] as const))(
    '%s',
    { timeout: 60_000 },
    async (id, status) => {
      const { results } = await runContract(handWrittenRunner(id), { run: [id] });
      expect(results).toMatchObject([
        { id, status, finding: { sent: expect.any(String), again: expect.stringContaining(`--run ${id}`) } },
      ]);
    },
  );
});
