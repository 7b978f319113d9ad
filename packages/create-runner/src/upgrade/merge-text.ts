/**
 * @module
 * upgrade/ brings a project up to a later version of its template: three texts of each file (as the template was, as
 * the person has it, as the template is) become one. Imports node:*, node-diff3, project/, destination/ and errors/.
 */
import { diff3Merge } from 'node-diff3';

/** The start of a conflict in a merged text. */
export const CONFLICT_START = '<<<<<<<';

export interface Merged {
  readonly text: string;
  /** Places that a person has to decide about. */
  readonly conflicts: number;
}

export interface Versions {
  /** As the template had it. */
  readonly base: string;
  /** As the person has it. */
  readonly mine: string;
  /** As the template has it now. */
  readonly next: string;
}

/** Merges line by line. Where both changed the same lines differently, both stand between markers, as git writes them. */
export function mergeText({ base, mine, next }: Versions): Merged {
  const regions = diff3Merge(mine.split('\n'), base.split('\n'), next.split('\n'));
  const conflicts = regions.filter(({ conflict }) => conflict !== undefined).length;
  const lines = regions.flatMap(({ ok, conflict }) =>
    conflict
      ? [`${CONFLICT_START} yours`, ...conflict.a, '=======', ...conflict.b, '>>>>>>> template']
      : (ok ?? []),
  );
  return { text: lines.join('\n'), conflicts };
}
