import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flattened, unflattened } from './flat-batch.js';
import type { StoreOperation } from './store.js';

const text = fc.constantFrom('', 'a', 'b');
const maybe = fc.option(text, { nil: undefined });
const operation = fc.oneof(
  fc.record({
    kind: fc.constant('insert-job' as const),
    ...{ id: text, type: text, head: text, input: text, createdAt: fc.nat(), lease: maybe },
    state: fc.constantFrom('queued' as const, 'pending' as const),
  }),
  fc.record({
    kind: fc.constant('finish-job' as const),
    ...{
      seq: fc.nat(),
      attempt: fc.nat(),
      eventSeq: fc.nat(),
      endedAt: fc.nat(),
      startedAt: fc.option(fc.nat(), { nil: undefined }),
    },
    ...{ runnerId: maybe, runnerVersion: maybe, executionId: maybe, data: maybe, error: maybe },
    ...{ dropped: fc.nat(), droppedBytes: fc.nat(), jobId: maybe, capability: maybe },
    status: fc.constantFrom('completed' as const, 'failed' as const),
  }),
  fc.record({ kind: fc.constant('remove-runner' as const), id: text }),
);

it('gives back each operation of a batch, whatever it shares with the one before', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 12 }), (batch) => {
      const sent = structuredClone(flattened(batch as StoreOperation[]));
      expect(unflattened(sent)).toEqual(batch);
    }),
    { numRuns: 2_000 },
  );
});
