/** Longest names that are compared letter by letter. */
const MAX_COMPARED = 64;

/** Letters and digits alone, so that `Hello Greet!` is near `hello.greet`. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** Steps from one text to the other: a letter added, left out, replaced, or swapped with its neighbour. */
function distance(left: string, right: string): number {
  const rows = [Array.from({ length: right.length + 1 }, (_, at) => at)];
  const cell = (at: number, to: number): number => rows[at]?.[to] ?? Infinity;
  for (let at = 1; at <= left.length; at += 1) {
    const row = [at];
    rows.push(row);
    for (let to = 1; to <= right.length; to += 1) {
      const replaced = cell(at - 1, to - 1) + (left[at - 1] === right[to - 1] ? 0 : 1);
      const isSwapped = left[at - 1] === right[to - 2] && left[at - 2] === right[to - 1];
      const swapped = isSwapped ? cell(at - 2, to - 2) + 1 : Infinity;
      row.push(Math.min(cell(at - 1, to) + 1, cell(at, to - 1) + 1, replaced, swapped));
    }
  }
  return cell(left.length, right.length);
}

/** How far a name is from another as people mistake them; undefined where nobody would. */
function farness(name: string, candidate: string): number | undefined {
  const [left, right] = [plain(name).slice(0, MAX_COMPARED), plain(candidate).slice(0, MAX_COMPARED)];
  if (left === '' || right === '') return undefined;
  const steps = distance(left, right);
  const longest = Math.max(left.length, right.length);
  if (longest >= 3 && steps <= Math.max(1, Math.floor(longest / 4))) return steps;
  // A part of an id in place of the whole: `greet` for `hello.greet`.
  const isPart = left.length >= 3 && (right.startsWith(left) || right.endsWith(left));
  return isPart ? steps : undefined;
}

/** The known name that was probably meant; undefined where none is near. */
export function nearName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const far = farness(name, candidate);
    if (far === undefined || far >= least) continue;
    nearest = candidate;
    least = far;
  }
  return nearest;
}

/** Says of each name that is not known which one was probably meant; undefined where all are known. */
export function unknownNames(given: object, known: readonly string[]): string | undefined {
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return unknown
    .map((name) => {
      const meant = nearName(name, known);
      return `"${name}" ${meant === undefined ? `(known: ${known.join(', ')})` : `(did you mean "${meant}"?)`}`;
    })
    .join(', ');
}
