/**
 * @module
 * What a runner owes, as data: one YAML file for each contract version, read and checked here. Cases,
 * reports and commands cite requirements by id and say nothing of their own about levels or words.
 * Imports zod and yaml alone.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** Breaking a MUST is not conformant; breaking a SHOULD is a warning. */
export const Level = z.enum(['MUST', 'SHOULD']);
export type Level = z.infer<typeof Level>;

/** A set of requirements that a runner can claim to keep; `core` is for every runner. */
export const Profile = z.enum(['core', 'streaming', 'cancellation']);
export type Profile = z.infer<typeof Profile>;

/** What the kit must hold to judge a requirement: the runner's URL, its registration, or its process. */
export const Needs = z.enum(['runner', 'control-plane', 'process']);
export type Needs = z.infer<typeof Needs>;

/** One rule of the contract that can be seen from outside. */
export const Requirement = z.strictObject({
  /** `concern.what-is-required`; stable, never reused. */
  id: z.string().regex(/^[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+$/),
  level: Level,
  profile: Profile,
  statement: z.string().min(10),
  /** Where the contract says so. */
  section: z.string().startsWith('§'),
  /** First contract version that has it. */
  since: z.string(),
  needs: Needs,
  /** Judged only when the runner declares this feature. */
  feature: z.enum(['ndjson', 'batch', 'cancel']).optional(),
  /** Judged with this fixture capability. */
  fixture: z.string().startsWith('conformance.').optional(),
});
export type Requirement = z.infer<typeof Requirement>;

const RequirementSet = z.strictObject({ contract: z.literal('1.0'), requirements: z.array(Requirement) });

/** The contract version whose requirements are judged. */
export const JUDGED_CONTRACT = '1.0';

function readRequirements(): readonly Requirement[] {
  // The build copies the file next to the bundle, so that this line holds in the source and in dist.
  const text = readFileSync(new URL(`${JUDGED_CONTRACT}.yaml`, import.meta.url), 'utf8');
  return Object.freeze(RequirementSet.parse(parse(text)).requirements);
}

/** Every requirement of the contract, in the order of the file. */
export const REQUIREMENTS: readonly Requirement[] = readRequirements();

const byId = new Map(REQUIREMENTS.map((requirement) => [requirement.id, requirement]));

/** The requirement with this id, if there is one. */
export function findRequirement(id: string): Requirement | undefined {
  return byId.get(id);
}
