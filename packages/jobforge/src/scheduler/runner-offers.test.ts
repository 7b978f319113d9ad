import { RunnerCapability } from '@controlplane/contracts';
import { expect, it } from 'vitest';
import { demandOf, type Demand } from '../model/demand.js';
import type { RunnerEntry } from './live-job.js';
import { createRunnerOffers } from './runner-offers.js';

const RUNNERS = 1_000;

const demand = (index: number): Demand =>
  demandOf({ type: 'echo', payload: { type: 'echo' }, placement: { labels: { team: ['a', `b${index}`] } } });

it('offers are remembered for many demands, and not for so many that each of many runners is held for each', () => {
  const capabilities = [
    RunnerCapability.parse({
      ...{ id: 'echo', name: 'Echo', version: '1.0.0', description: '' },
      ...{ inputSchema: {}, outputSchema: {}, supportedJobTypes: [] },
    }),
  ];
  const runner = { labels: { team: 'a' }, capabilities, registration: { capabilities } };
  const runners = Array.from(
    { length: RUNNERS },
    (_, at) => ({ ...runner, id: `r${at}` }) as unknown as RunnerEntry,
  );
  const { offers, offerOf } = createRunnerOffers(runners, { of: () => undefined } as never);
  const first = offers(demand(0));
  expect(first).toHaveLength(RUNNERS);
  expect(offers(demand(0))).toBe(first);
  const [some] = runners;
  for (let at = 0; at < 100; at += 1) if (some !== undefined) offerOf(demand(at), some);
  expect(offers(demand(0))).toBe(first);
  // With the lists by runner that is 200,000 by now.
  offers(demand(100));
  expect(offers(demand(0))).not.toBe(first);
});
