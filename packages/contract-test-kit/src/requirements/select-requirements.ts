import { REQUIREMENTS, type Profile, type Requirement } from './requirement.js';

/** Which requirements a run is about; what is left out selects all. */
export interface Selection {
  /** Ids or globs (`execute.*`): `*` stands for any characters. */
  readonly ids?: readonly string[] | undefined;
  readonly profiles?: readonly Profile[] | undefined;
}

function globToPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
  return new RegExp(`^${escaped}$`);
}

/**
 * Picks requirements by id and profile, in the order of the file.
 * @param selection - ids or globs, and profiles; a requirement must satisfy both
 * @returns the selected requirements, and the ids and globs that matched none
 */
export function selectRequirements(selection: Selection): {
  readonly selected: readonly Requirement[];
  readonly unmatched: readonly string[];
} {
  const globs = (selection.ids ?? []).map((text) => ({ text, pattern: globToPattern(text) }));
  const wanted = (requirement: Requirement): boolean =>
    (globs.length === 0 || globs.some(({ pattern }) => pattern.test(requirement.id))) &&
    (selection.profiles === undefined ||
      selection.profiles.length === 0 ||
      selection.profiles.includes(requirement.profile));
  return {
    selected: REQUIREMENTS.filter(wanted),
    unmatched: globs
      .filter(({ pattern }) => !REQUIREMENTS.some(({ id }) => pattern.test(id)))
      .map(({ text }) => text),
  };
}
