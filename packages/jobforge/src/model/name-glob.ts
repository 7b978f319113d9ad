/**
 * Whether a name matches a pattern in which `*` stands for any text and `?` for one character; case counts. Patterns
 * come from clients: the time taken is at most the product of the two lengths.
 */
export function matchesGlob(name: string, pattern: string): boolean {
  const letters = Array.from(name);
  const signs = Array.from(pattern);
  let [at, sign] = [0, 0];
  // Where the last star stands, and the text that it takes so far.
  let [star, taken] = [-1, 0];
  while (at < letters.length) {
    const wanted = signs[sign];
    if (wanted === '*') {
      star = sign;
      taken = at;
      sign += 1;
    } else if (wanted !== undefined && (wanted === '?' || wanted === letters[at])) {
      at += 1;
      sign += 1;
    } else if (star >= 0) {
      taken += 1;
      at = taken;
      sign = star + 1;
    } else return false;
  }
  return signs.slice(sign).every((rest) => rest === '*');
}
