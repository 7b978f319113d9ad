import { REQUIREMENTS, renderText, runContract } from '@controlplane/contract-test-kit';
import { describe, expect, it } from 'vitest';
import { handWrittenDialOut, sdkRunner } from './commands.js';

const LIMIT_MS = 180_000;
const DELIVERIES = ['websocket', 'long-poll'] as const;

/** Every case of a link is proved able to fail: on the runner that breaks just its requirement. */
describe.each(DELIVERIES)(
  'the case of each requirement of %s fails on the runner that breaks it',
  (delivery) => {
    const own = REQUIREMENTS.filter(({ id }) => id.startsWith(`${delivery}.`));
    it.concurrent.each(own.map(({ id, level }) => [id, level === 'MUST' ? 'failed' : 'warned'] as const))(
      '%s',
      { timeout: LIMIT_MS },
      async (id, status) => {
        const { results } = await runContract(handWrittenDialOut(id), { delivery, run: [id] });
        expect(results).toMatchObject([
          { id, status, finding: { sent: expect.any(String), again: expect.stringContaining('--delivery') } },
        ]);
      },
    );
  },
);

describe.each(DELIVERIES)('over %s', (delivery) => {
  it.concurrent.each([
    ['a runner written by hand in plain Node', () => handWrittenDialOut()],
    ['a runner on the SDK', () => sdkRunner('runner')],
  ])('%s keeps every requirement', { timeout: LIMIT_MS }, async (_name, target) => {
    const report = await runContract(target(), { delivery, strict: true });
    expect(report.conformant, renderText(report)).toBe(true);
    expect(report.runner.deliveries).toEqual([delivery]);
    expect(report.profiles).toContainEqual({ profile: delivery, claimed: true, conformant: true });
  });

  it.concurrent(
    'what is answered to an end is not answered to a log that came long before',
    { timeout: LIMIT_MS },
    async () => {
      const run = [`${delivery}.resends-until-acknowledged`, `${delivery}.forgets-superseded`];
      const report = await runContract(sdkRunner('speaks-early'), { delivery, run });
      expect(report.summary, renderText(report)).toMatchObject({ passed: run.length, failed: 0 });
    },
  );
});
