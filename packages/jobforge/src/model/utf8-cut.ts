const isContinuation = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;

/** Where UTF-8 can be cut so that at most `bytes` of it come before, and no character is split. */
export function cutBefore(text: Buffer, bytes: number): number {
  if (text.length <= bytes) return text.length;
  let at = Math.max(0, bytes);
  while (at > 0 && isContinuation(text[at])) at -= 1;
  return at;
}

/** Where UTF-8 can be cut so that at least `bytes` of it come before, and no character is split. */
export function cutAfter(text: Buffer, bytes: number): number {
  let at = Math.min(text.length, bytes);
  while (at < text.length && isContinuation(text[at])) at += 1;
  return at;
}
