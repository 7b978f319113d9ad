import { z } from 'zod';
import { parseVersion, type ContractVersion } from './version.js';

interface Comparator {
  readonly operator: '>=' | '<' | '>' | '<=' | '=';
  readonly version: ContractVersion;
}

/** All of these at once. */
type Span = readonly Comparator[];

const PARTIAL =
  /^(?:v)?(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*]))?(?:\.(\d{1,15}|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;
const TERM = /^(\^|~|>=|<=|>|<|=)?(.+)$/;
const MAX_RANGE_LENGTH = 128;

/** A version whose last parts may be left open. */
interface Partial {
  readonly parts: readonly number[];
  readonly preRelease: string | undefined;
}

function readPartial(text: string): Partial | undefined {
  const match = PARTIAL.exec(text);
  if (match === null) return undefined;
  const parts: number[] = [];
  for (const part of match.slice(1, 4)) {
    if (part === undefined || /[xX*]/.test(part)) break;
    parts.push(Number(part));
  }
  // A pre-release belongs to a version that is named in full.
  return match[4] !== undefined && parts.length < 3 ? undefined : { parts, preRelease: match[4] };
}

function floorOf({ parts: [major = 0, minor = 0, patch = 0], preRelease }: Partial): ContractVersion {
  return preRelease === undefined ? { major, minor, patch } : { major, minor, patch, preRelease };
}

/** Comes before every other pre-release: what precedes the next version does not belong to this one. */
const LOWEST = '0';

/** The first version after all that share the first `count` parts; undefined where nothing is beyond. */
function ceilingOf(
  { parts: [major = 0, minor = 0, patch = 0] }: Partial,
  count: number,
): ContractVersion | undefined {
  if (count === 0) return undefined;
  if (count === 1) return { major: major + 1, minor: 0, patch: 0, preRelease: LOWEST };
  if (count === 2) return { major, minor: minor + 1, patch: 0, preRelease: LOWEST };
  return { major, minor, patch: patch + 1, preRelease: LOWEST };
}

/** How many parts a caret holds fast: up to the first that is not 0. */
function caretCount({ parts }: Partial): number {
  const first = parts.findIndex((part) => part > 0);
  return first < 0 ? parts.length : first + 1;
}

function between(partial: Partial, count: number): Span {
  const ceiling = ceilingOf(partial, count);
  const floor: Comparator = { operator: '>=', version: floorOf(partial) };
  return ceiling === undefined ? [floor] : [floor, { operator: '<', version: ceiling }];
}

/** All that is after, or up to, every version that a text leaves open. */
function beyond(operator: '>' | '<=', partial: Partial): Span {
  const { length } = partial.parts;
  if (length === 3) return [{ operator, version: floorOf(partial) }];
  const ceiling = ceilingOf(partial, length);
  // Beyond everything there is nothing, and up to everything there is all.
  if (ceiling === undefined) return operator === '>' ? [NOTHING] : [];
  return [{ operator: operator === '>' ? '>=' : '<', version: ceiling }];
}

function from(operator: '>=' | '<', partial: Partial): Span {
  if (partial.parts.length > 0) return [{ operator, version: floorOf(partial) }];
  return operator === '<' ? [NOTHING] : [];
}

function spanOf(operator: string | undefined, partial: Partial): Span {
  const { length } = partial.parts;
  switch (operator) {
    case '^':
      return between(partial, caretCount(partial));
    case '~':
      return between(partial, Math.min(2, length));
    case '>':
    case '<=':
      return beyond(operator, partial);
    case '>=':
    case '<':
      return from(operator, partial);
    default:
      return length === 3 ? [{ operator: '=', version: floorOf(partial) }] : between(partial, length);
  }
}

const NOTHING: Comparator = { operator: '<', version: { major: 0, minor: 0, patch: 0, preRelease: LOWEST } };

function readSpan(text: string): Span | undefined {
  const hyphen = /^(\S+) - (\S+)$/.exec(text.trim());
  const terms = hyphen
    ? [`>=${hyphen[1]}`, `<=${hyphen[2]}`]
    : text
        .trim()
        .replaceAll(/([\^~<>=])\s+/g, '$1')
        .split(/\s+/);
  const spans = terms.map((term) => {
    const [, operator, rest = ''] = TERM.exec(term === '' ? '*' : term) ?? [];
    const partial = readPartial(rest);
    return partial && spanOf(operator, partial);
  });
  return spans.every((span) => span !== undefined) ? spans.flat() : undefined;
}

function readRange(range: string): readonly Span[] | undefined {
  if (range.length > MAX_RANGE_LENGTH) return undefined;
  const spans = range.split('||').map(readSpan);
  return spans.every((span) => span !== undefined) ? spans : undefined;
}

function compareIdentifiers(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
  const [isLeft, isRight] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (isLeft && isRight) return Number(left) - Number(right);
  if (isLeft !== isRight) return isLeft ? -1 : 1;
  return left < right ? -1 : Number(left > right);
}

function comparePreReleases(left: string | undefined, right: string | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  const [lefts, rights] = [left.split('.'), right.split('.')];
  for (let at = 0; at < Math.max(lefts.length, rights.length); at += 1) {
    const order = compareIdentifiers(lefts[at], rights[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function compare(left: ContractVersion, right: ContractVersion): number {
  return (
    left.major - right.major ||
    left.minor - right.minor ||
    left.patch - right.patch ||
    comparePreReleases(left.preRelease, right.preRelease)
  );
}

function holds({ operator, version }: Comparator, actual: ContractVersion): boolean {
  const order = compare(actual, version);
  switch (operator) {
    case '=':
      return order === 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
  }
}

/** A pre-release is only meant by a range that names one of the same version. */
function means(span: Span, actual: ContractVersion): boolean {
  if (actual.preRelease === undefined) return true;
  return span.some(
    ({ operator, version }) =>
      version.preRelease !== undefined &&
      !(operator === '<' && version.preRelease === LOWEST) &&
      version.major === actual.major &&
      version.minor === actual.minor &&
      version.patch === actual.patch,
  );
}

function readVersion(text: string): ContractVersion | undefined {
  try {
    return parseVersion(text);
  } catch {
    return undefined;
  }
}

/**
 * Versions that will do, as npm writes them: `1.2.3`, `1.x`, `^1.2`, `~1.2.3`, `>=1.2 <2`, `1.2 - 1.4`, and any of
 * these joined by `||`.
 */
export const VersionRange = z
  .string()
  .min(1)
  .max(MAX_RANGE_LENGTH)
  .refine((range) => readRange(range) !== undefined, {
    message: 'expected a range of versions, such as 1.2.3, ^1.2, ~1.2.3 or >=1.2 <2',
  });
export type VersionRange = z.infer<typeof VersionRange>;

/**
 * Whether a version lies in a range. A pre-release lies in a range only where that names a pre-release of the same
 * version. What is no version lies in `*` and in what is written like it, letter by letter.
 */
export function satisfiesVersionRange(version: string, range: string): boolean {
  if (version === range || range === '*') return true;
  const actual = readVersion(version);
  const spans = readRange(range);
  if (actual === undefined || spans === undefined) return false;
  return spans.some((span) => span.every((comparator) => holds(comparator, actual)) && means(span, actual));
}

/** Sorts versions upwards; what is no version comes first. */
export function compareVersions(left: string, right: string): number {
  if (left === right) return 0;
  const [before, after] = [readVersion(left), readVersion(right)];
  if (before === undefined || after === undefined)
    return Number(before !== undefined) - Number(after !== undefined);
  return compare(before, after);
}
