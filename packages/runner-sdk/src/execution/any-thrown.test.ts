import { ErrorEnvelope } from '@controlplane/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromWords, toWords } from '../capability/thrown-words.js';
import { CapabilityError } from '../errors/capability-error.js';
import { toErrorEnvelope } from './error-mapping.js';

const place = { service: 'images', operation: 'image.resize@1.0.0' };

const plain = fc.anything({
  maxDepth: 3,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('x'.repeat(9000)));
const KEYS = [
  'name',
  'message',
  'stack',
  'code',
  'cause',
  'errors',
  'options',
  'toJSON',
  '__proto__',
  'then',
];

/** Gives an object members that hold anything, some of which throw when they are read. */
function withMembers<Target extends object>(
  target: Target,
  members: ReadonlyArray<[string, unknown, boolean]>,
) {
  for (const [key, value, throws] of members) {
    const get = (): unknown => {
      if (throws) throw value;
      return value;
    };
    Reflect.defineProperty(target, key, { get, enumerable: true, configurable: true });
  }
  return target;
}

/** Makes a value when it is thrown: what reads it before would meet its getters. */
type Make = () => unknown;

const { thrown } = fc.letrec<{ thrown: Make; error: Make }>((tie) => ({
  error: fc
    .tuple(
      fc.constantFrom(Error, TypeError, RangeError),
      text,
      tie('thrown'),
      fc.array(fc.tuple(fc.constantFrom(...KEYS), plain, fc.boolean()), { maxLength: 3 }),
    )
    .map(([Kind, message, cause, members]) => () => {
      return withMembers(new Kind(message, { cause: cause() }), members);
    }),
  thrown: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    plain.map((value) => () => value),
    tie('error'),
    fc.tuple(text, text, plain, tie('thrown')).map(([code, message, options, cause]) => () => {
      return new CapabilityError(code, message, { ...(Object(options) as object), cause: cause() });
    }),
    fc
      .record({
        category: plain,
        severity: plain,
        retryable: plain,
        retryAfter: plain,
        details: plain,
        remedy: plain,
      })
      .map((options) => () => new CapabilityError('MINE', 'mine', options as never)),
    fc.array(tie('thrown'), { maxLength: 3 }).map((errors) => () => {
      return new AggregateError(
        errors.map((make) => make()),
        'several',
      );
    }),
    tie('error').map((make) => () => {
      const error = make() as object;
      Reflect.defineProperty(error, 'cause', { value: error, configurable: true });
      return error;
    }),
    plain.map((value) => () => new Proxy({}, { get: (_target, key) => [key, value] })),
  ),
}));

/** What is thrown: the value, or what making it throws. */
function thrownBy(make: Make): unknown {
  try {
    return make();
  } catch (error) {
    return error;
  }
}

test('whatever a handler throws becomes a valid and bounded envelope', () => {
  fc.assert(
    fc.property(thrown, (make) => {
      const envelope = toErrorEnvelope(thrownBy(make), place);
      expect(ErrorEnvelope.safeParse(envelope).error).toBeUndefined();
      const crossed: unknown = JSON.parse(JSON.stringify(envelope));
      expect(ErrorEnvelope.parse(crossed)).toEqual(crossed);
      expect(JSON.stringify(envelope).length).toBeLessThan(700_000);
    }),
    { numRuns: 1000 },
  );
});

test('whatever an isolated handler throws crosses over to the same envelope', () => {
  fc.assert(
    fc.property(thrown, (make) => {
      const value = thrownBy(make);
      const here = toErrorEnvelope(value, place);
      const there = toErrorEnvelope(fromWords(structuredClone(toWords(value))), place);
      expect(ErrorEnvelope.safeParse(there).error).toBeUndefined();
      const { code, category, severity, retryable } = here;
      expect(there).toMatchObject({ code, category, severity, retryable });
      // A value without any word of its own is given one on the way.
      if (here.message !== '') expect(there.message).toBe(here.message);
    }),
    { numRuns: 1000 },
  );
});
