import { z } from 'zod';

const part = z.number().int().nonnegative();

/** A version of the contract, by its parts. */
export const ContractVersion = z.object({
  major: part,
  minor: part,
  patch: part,
  preRelease: z.string().optional(),
});
export type ContractVersion = z.infer<typeof ContractVersion>;

/** Versions from `min` to `max`, both inclusive, or `exact` alone. */
export const ContractRange = z.object({
  min: ContractVersion,
  max: ContractVersion.optional(),
  exact: ContractVersion.optional(),
});
export type ContractRange = z.infer<typeof ContractRange>;

/** The version of the contract that this package describes. */
export const CONTRACT_VERSION_CURRENT: Readonly<ContractVersion> = Object.freeze({
  major: 1,
  minor: 0,
  patch: 0,
});

// Fifteen digits are the most that a number surely holds.
const VERSION_PATTERN = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Reads `1.2.3` or `1.2.3-rc.1`.
 * @param version - the text to read
 * @returns its parts; everything after the first `-` is `preRelease`
 * @throws RangeError when the text is no version
 */
export function parseVersion(version: string): ContractVersion {
  const match = VERSION_PATTERN.exec(version);
  if (!match)
    throw new RangeError(`"${version}" is not a version: expected major.minor.patch, such as 1.0.0`);
  const [, major, minor, patch, preRelease] = match;
  const parsed = { major: Number(major), minor: Number(minor), patch: Number(patch) };
  return preRelease === undefined ? parsed : { ...parsed, preRelease };
}

/** The wire form of a contract version: its parts, or `"1.0.0"`. Read as parts. */
export const WireContractVersion = z.union([
  ContractVersion,
  z.string().regex(VERSION_PATTERN, 'expected major.minor.patch, such as 1.0.0').transform(parseVersion),
]);
export type WireContractVersion = z.infer<typeof WireContractVersion>;

/** Writes a version as `1.2.3` or `1.2.3-rc.1`. */
export function serializeVersion(version: ContractVersion): string {
  const core = `${version.major}.${version.minor}.${version.patch}`;
  return version.preRelease ? `${core}-${version.preRelease}` : core;
}

function compareParts(left: ContractVersion, right: ContractVersion): number {
  return left.major - right.major || left.minor - right.minor || left.patch - right.patch;
}

/** Whether a version lies in a range; pre-releases count as the version they precede. */
export function satisfiesRange(version: ContractVersion, range: ContractRange): boolean {
  if (range.exact) return compareParts(version, range.exact) === 0;
  if (compareParts(version, range.min) < 0) return false;
  return range.max === undefined || compareParts(version, range.max) <= 0;
}

/** Whether going from one version to another may break a peer: only a change of major does. */
export function isBreakingChange(oldVersion: ContractVersion, newVersion: ContractVersion): boolean {
  return newVersion.major !== oldVersion.major;
}

/**
 * The version that two peers speak.
 * @returns the lower of the two where the major is the same, `undefined` where it is not
 */
export function negotiateVersion(
  ours: ContractVersion,
  theirs: ContractVersion,
): ContractVersion | undefined {
  if (isBreakingChange(ours, theirs)) return undefined;
  return compareParts(ours, theirs) <= 0 ? ours : theirs;
}
