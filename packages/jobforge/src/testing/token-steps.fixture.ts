import fc from 'fast-check';

const index = fc.nat({ max: 1 });

const CREATE = fc.record({
  kind: fc.constant('create' as const),
  lifetimeMs: fc.constantFrom(60_000, 3_600_000, 86_400_000),
  maxMachines: fc.constantFrom(1, 2, null),
  durable: fc.constantFrom(true, true, false),
});
const ENROLL = fc.record({ kind: fc.constant('enroll' as const), token: index, machine: index });
const RETURN = fc.record({
  kind: fc.constant('return' as const),
  runner: index,
  machine: index,
  secret: fc.nat({ max: 2 }),
});
const ROTATE = fc.record({
  kind: fc.constant('rotate' as const),
  runner: index,
  overlapMs: fc.constantFrom(0, 60_000, 7_200_000),
});
const ADVANCE = fc.record({
  kind: fc.constant('advance' as const),
  ms: fc.constantFrom(1, 59_999, 60_000, 3_600_000, 50_000_000),
});
const BAN = fc.record({ kind: fc.constant('revoke-runner' as const), runner: index });
const DELETE = fc.record({ kind: fc.constant('delete-runner' as const), runner: index });
const REVOKE = fc.record({ kind: fc.constant('revoke-token' as const), token: index });
const RESTART = fc.record({ kind: fc.constant('restart' as const) });

/** What may happen to tokens and to those who come with them; the likelier the more often. */
const STEP = fc.oneof(
  { weight: 2, arbitrary: CREATE },
  { weight: 5, arbitrary: ENROLL },
  { weight: 5, arbitrary: RETURN },
  { weight: 4, arbitrary: ROTATE },
  { weight: 3, arbitrary: ADVANCE },
  { weight: 1, arbitrary: BAN },
  { weight: 1, arbitrary: DELETE },
  { weight: 1, arbitrary: REVOKE },
  { weight: 1, arbitrary: RESTART },
);
export type TokenStep = typeof STEP extends fc.Arbitrary<infer T> ? T : never;
/** There is a token from the start, and somebody has come with it. */
export const tokenHistories: fc.Arbitrary<TokenHistory> = fc
  .tuple(CREATE, ENROLL, fc.array(STEP, { minLength: 2, maxLength: 24 }))
  .map(([create, enroll, steps]) => [create, enroll, ...steps]);
export type TokenHistory = readonly TokenStep[];
