/** What is remembered under an id. */
export interface Remembered {
  readonly token: string;
  /** Undefined where it was given none. */
  readonly seq: number | undefined;
}

/** Remembers tokens by their ids, the last of them. */
export interface TokenRing {
  /** Takes the place of the oldest. An id comes once. */
  add(id: string, remembered: Remembered): void;
  find(id: string): Remembered | undefined;
}

/** Bytes of an id and a token: 26 and 22 of new ones, 26 and 43 of those that earlier versions made. */
const WIDTH = 72;
const NO_SEQ = -1;
const NOTHING = -1;

function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93);
  return hash ^ (hash >>> 15);
}

/**
 * A {@link TokenRing} outside the heap: as objects, what every job leaves behind for a while would be copied by the
 * collector twice and then thrown away. What does not fit into its place, which is none of ours, is not remembered.
 * @param places - how many it remembers; a power of two
 */
export function createTokenRing(places: number): TokenRing {
  const texts = Buffer.alloc(places * WIDTH);
  const lengths = new Uint8Array(places * 2);
  const seqs = new Float64Array(places);
  const hashes = new Int32Array(places);
  /** Places whose ids have a hash in common are a list: its first by the hash, each next by the one before. */
  const firsts = new Int32Array(places).fill(NOTHING);
  const nexts = new Int32Array(places);
  let oldest = 0;

  const bucketOf = (hash: number): number => hash & (places - 1);

  const forget = (place: number): void => {
    if (lengths[place * 2] === 0) return;
    const bucket = bucketOf(hashes[place] ?? 0);
    const next = nexts[place] ?? NOTHING;
    let at = firsts[bucket] ?? NOTHING;
    if (at === place) {
      firsts[bucket] = next;
      return;
    }
    while (nexts[at] !== place) at = nexts[at] ?? NOTHING;
    nexts[at] = next;
  };

  const write = (text: string, from: number): void => {
    for (let at = 0; at < text.length; at += 1) texts[from + at] = text.charCodeAt(at);
  };

  const isAt = (place: number, id: string): boolean => {
    if (lengths[place * 2] !== id.length) return false;
    const from = place * WIDTH;
    for (let at = 0; at < id.length; at += 1) if (texts[from + at] !== id.charCodeAt(at)) return false;
    return true;
  };

  return {
    add(id, { token, seq }) {
      if (id.length + token.length > WIDTH) return;
      const place = oldest;
      oldest = (oldest + 1) & (places - 1);
      forget(place);
      const hash = hashOf(id);
      const bucket = bucketOf(hash);
      hashes[place] = hash;
      nexts[place] = firsts[bucket] ?? NOTHING;
      firsts[bucket] = place;
      seqs[place] = seq ?? NO_SEQ;
      lengths[place * 2] = id.length;
      lengths[place * 2 + 1] = token.length;
      write(id, place * WIDTH);
      write(token, place * WIDTH + id.length);
    },
    find(id) {
      let place = firsts[bucketOf(hashOf(id))] ?? NOTHING;
      while (place !== NOTHING && !isAt(place, id)) place = nexts[place] ?? NOTHING;
      if (place === NOTHING) return undefined;
      const from = place * WIDTH + id.length;
      const seq = seqs[place] ?? NO_SEQ;
      return {
        token: texts.toString('latin1', from, from + (lengths[place * 2 + 1] ?? 0)),
        seq: seq === NO_SEQ ? undefined : seq,
      };
    },
  };
}
