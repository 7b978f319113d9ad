import { createHash } from 'node:crypto';

/** The hex of a text's SHA-256. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
