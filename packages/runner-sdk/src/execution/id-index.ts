/** Finds the rows of a table by id. Thousands of ids that come and go leave nothing to collect. */
export interface IdIndex {
  /** Notes where the row of an id is; of two with one id the later counts. */
  add(id: string, hash: number, row: number): void;
  /** @returns the row, or -1 */
  find(id: string, hash: number): number;
  clear(): void;
}

const FNV_OFFSET = 0x81_1c_9d_c5;
const FNV_PRIME = 0x01_00_01_93;

/** FNV-1a over the units of a text: computed once for all tables that are searched. */
export function hashOfId(id: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), FNV_PRIME);
  }
  // The low bits place it; the higher ones differ the most.
  return hash ^ (hash >>> 15);
}

/**
 * Makes an empty index.
 * @param maxRows - the most that are ever added before `clear`
 */
export function createIdIndex(maxRows: number): IdIndex {
  // At most a quarter is taken: most searches for what is not there look at one place.
  const size = 2 ** Math.ceil(Math.log2(maxRows * 4 + 4));
  const mask = size - 1;
  /** Row + 1 of each place; 0: free. */
  const places = new Int32Array(size);
  const ids: string[] = [];

  function placeOf(id: string, hash: number): number {
    let place = hash & mask;
    for (let taken = places[place]; taken !== 0; taken = places[place]) {
      if (ids[(taken ?? 0) - 1] === id) break;
      place = (place + 1) & mask;
    }
    return place;
  }

  return {
    add(id, hash, row) {
      places[placeOf(id, hash)] = row + 1;
      ids[row] = id;
    },
    find: (id, hash) => (places[placeOf(id, hash)] ?? 0) - 1,
    clear: () => void places.fill(0),
  };
}
