/**
 * @module
 * Failures that a project knows of and accepts for a time: requirement, reason, last day. Knows requirements
 * and the report's words, nothing of how a run is made.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import type { KnownFailureNote, ResultStatus } from '../reporters/report.js';
import { findRequirement } from '../requirements/requirement.js';

/** One failure that does not fail the run until it expires. */
export const KnownFailure = z.strictObject({
  /** Id of one requirement; globs are not taken, so that nothing hides behind another. */
  id: z.string(),
  reason: z.string().min(1),
  /** Last day, in UTC, on which it is accepted: `2026-12-31`. */
  expires: z.iso.date(),
  /** Where it is followed, as an address. */
  issue: z.string().optional(),
});
export type KnownFailure = z.infer<typeof KnownFailure>;

const KnownFailuresFile = z.strictObject({ knownFailures: z.array(KnownFailure) });

/** A known-failures file that cannot be used; the message says why. */
export class KnownFailuresInvalid extends Error {
  override readonly name = 'KnownFailuresInvalid';
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new KnownFailuresInvalid(`is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}

/**
 * Reads a known-failures file: YAML (or JSON) with `knownFailures`, a list of `id`, `reason`, `expires` and,
 * if there is one, `issue`.
 * @throws KnownFailuresInvalid when it is not that, or names no requirement, or one twice
 */
export function parseKnownFailures(text: string): readonly KnownFailure[] {
  const parsed = KnownFailuresFile.safeParse(readYaml(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new KnownFailuresInvalid(
      `${issue?.path.join('.') || '(whole)'}: ${issue?.message}. An entry is: id, reason, expires (2026-12-31), issue`,
    );
  }
  const { knownFailures } = parsed.data;
  const seen = new Set<string>();
  for (const { id } of knownFailures) {
    if (!findRequirement(id))
      throw new KnownFailuresInvalid(
        `there is no requirement "${id}"; \`contract-test list\` shows them all`,
      );
    if (seen.has(id)) throw new KnownFailuresInvalid(`"${id}" is there twice`);
    seen.add(id);
  }
  return knownFailures;
}

/** How a known failure stands after a run. */
export function noteOf(
  { reason, expires, issue }: KnownFailure,
  status: ResultStatus,
  today: Date,
): KnownFailureNote {
  const isPast = today.toISOString().slice(0, 10) > expires;
  const isBroken = status === 'failed' || status === 'warned';
  const state = status === 'passed' ? 'stale' : isPast ? 'expired' : isBroken ? 'accepted' : 'unused';
  return { state, reason, expires, ...(issue === undefined ? {} : { issue }) };
}
