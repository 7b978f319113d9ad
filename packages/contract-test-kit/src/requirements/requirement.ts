/**
 * @module
 * What a runner owes, as data: one YAML file for each contract version, read and checked here. Cases,
 * reports and commands cite requirements by id and say nothing of their own about levels or words.
 * Imports zod and yaml alone.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { DeliveryKind } from '../target/delivery.js';

/** Breaking a MUST is not conformant; breaking a SHOULD is a warning; a MAY that is not kept is not applicable. */
export const Level = z.enum(['MUST', 'SHOULD', 'MAY']);
export type Level = z.infer<typeof Level>;

/** A set of requirements that a runner can claim to keep; `core` is for every runner. */
export const Profile = z.enum([
  'core',
  'streaming',
  'cancellation',
  'websocket',
  'long-poll',
  'security',
  'resilience',
  'performance',
  'control-plane',
]);
export type Profile = z.infer<typeof Profile>;

/** What the kit must hold to judge a requirement: the runner's URL, its registration, its process, or a control plane. */
export const Needs = z.enum(['runner', 'control-plane', 'process', 'control-plane-url']);
export type Needs = z.infer<typeof Needs>;

/** A contract version without its patch: `1.0`. */
const ContractMinor = z.string().regex(/^[0-9]+\.[0-9]+$/);

/** One rule of the contract that can be seen from outside. */
export const Requirement = z.strictObject({
  /** `concern.what-is-required`; stable, never reused. */
  id: z.string().regex(/^[a-z]+(-[a-z]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/),
  level: Level,
  profile: Profile,
  statement: z.string().min(10),
  /** Where the contract says so. */
  section: z.string().startsWith('§'),
  /** First contract version that has it. */
  since: ContractMinor,
  /** First contract version that has it no more: then it is kept for its id alone, which is never used again. */
  until: ContractMinor.optional(),
  needs: Needs,
  /** How a runner is reached that it concerns. */
  deliveries: z.array(DeliveryKind).min(1).default(['push']),
  /** Judged only when the runner declares this feature. */
  feature: z.enum(['ndjson', 'batch', 'cancel', 'signed']).optional(),
  /** Judged with this fixture capability. */
  fixture: z.string().startsWith('conformance.').optional(),
});
export type Requirement = z.infer<typeof Requirement>;

/** The contract version whose requirements are scored. */
export const JUDGED_CONTRACT = '1.0';

const RequirementSet = z.strictObject({
  contract: z.enum([JUDGED_CONTRACT, 'later']),
  /** SHA-256 of the requirements as JSON, once nothing may be added any more. */
  frozen: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  requirements: z.array(Requirement),
});
export type RequirementSet = z.infer<typeof RequirementSet>;

/** Reads one of the sets: that of a contract version, or what came later. */
export function readRequirementSet(name: typeof JUDGED_CONTRACT | 'later'): RequirementSet {
  // The build copies the files next to the bundle, so that this line holds in the source and in dist.
  return RequirementSet.parse(parse(readFileSync(new URL(`${name}.yaml`, import.meta.url), 'utf8')));
}

const numbersOf = (version: string): readonly [number, number] => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
};

/** Whether a contract version has come by the time of another. */
function hasCome(version: string, by: string): boolean {
  const [major, minor] = numbersOf(version);
  const [byMajor, byMinor] = numbersOf(by);
  return major < byMajor || (major === byMajor && minor <= byMinor);
}

/** Whether a contract version has this requirement still; one that it does not have yet counts. */
export function isInForce(
  { until }: Pick<Requirement, 'until'>,
  contract: string = JUDGED_CONTRACT,
): boolean {
  return until === undefined || !hasCome(until, contract);
}

const scoredSet = readRequirementSet(JUDGED_CONTRACT).requirements;
const allRequirements = Object.freeze([...scoredSet, ...readRequirementSet('later').requirements]);
const scoredIds = new Set(
  scoredSet.filter(({ since }) => hasCome(since, JUDGED_CONTRACT)).map(({ id }) => id),
);

/** Every requirement that is judged, in the order of the files: the scored ones, then those that came later. */
export const REQUIREMENTS: readonly Requirement[] = Object.freeze(
  allRequirements.filter((requirement) => isInForce(requirement)),
);

/** Whether a requirement counts for conformance; one that came after its contract version is judged and does not. */
export function isScored({ id }: Pick<Requirement, 'id'>): boolean {
  return scoredIds.has(id);
}

const byId = new Map(allRequirements.map((requirement) => [requirement.id, requirement]));

/** The requirement with this id, if there is one; also one that is judged no more. */
export function findRequirement(id: string): Requirement | undefined {
  return byId.get(id);
}
