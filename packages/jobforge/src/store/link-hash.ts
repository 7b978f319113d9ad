import { hash } from 'node:crypto';

/** The hex of a text's SHA-256. */
export function sha256Hex(text: string): string {
  return hash('sha256', text);
}
