/** A text in two parts, at a border between characters. */
export interface CutText {
  readonly head: string;
  readonly headBytes: number;
  readonly tail: string;
}

/**
 * Cuts a text where its first part takes as many bytes of UTF-8 as it may, without splitting a character.
 * @param text - well-formed; half a surrogate pair becomes U+FFFD
 * @param maxBytes - most bytes of the first part
 */
export function cutBytes(text: string, maxBytes: number): CutText {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return { head: text, headBytes: bytes.length, tail: '' };
  let end = Math.max(0, maxBytes);
  while (end > 0 && isContinuation(bytes[end])) end--;
  return { head: bytes.toString('utf8', 0, end), headBytes: end, tail: bytes.toString('utf8', end) };
}

/**
 * Cuts bytes off the start of a text, at least as many as are named, without splitting a character.
 * @returns what is left, and how many bytes were cut off
 */
export function dropBytes(
  text: string,
  minBytes: number,
): { readonly text: string; readonly dropped: number } {
  const bytes = Buffer.from(text);
  let start = Math.min(bytes.length, minBytes);
  while (start < bytes.length && isContinuation(bytes[start])) start++;
  return { text: bytes.toString('utf8', start), dropped: start };
}

const isContinuation = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;
