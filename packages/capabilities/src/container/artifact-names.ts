const MAX_LENGTH = 128;
/** Room for a number behind a name that is taken. */
const CUT_LENGTH = MAX_LENGTH - 5;

/** A name of the contract's signs for a path: no folders, no dot at its beginning. */
function plainName(path: string): string {
  const plain = path.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\./, '_');
  return plain.length <= CUT_LENGTH ? plain : plain.slice(plain.length - CUT_LENGTH).replace(/^\./, '_');
}

/**
 * Names for files by their paths, such as `sub_out.txt` for `sub/out.txt`: no two are the same, and the same paths get
 * the same names again.
 */
export function artifactNames(paths: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    const plain = plainName(path);
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}-${number}`;
    taken.add(name);
    return name;
  });
}
