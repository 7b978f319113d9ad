const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Arrays and objects inside one another. What is deeper overflows the stack of whatever walks it. */
export const MAX_JSON_DEPTH = 200;

/**
 * Whether JSON text nests arrays and objects deeper than a limit. Looks at brackets alone: text that is no
 * JSON gets some answer, and its parser the last word.
 */
export function isNestedDeeperThan(json: Uint8Array, limit: number): boolean {
  // Each level takes two bytes at least: most bodies are too short to be too deep.
  if (json.length < limit * 2) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limit) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
