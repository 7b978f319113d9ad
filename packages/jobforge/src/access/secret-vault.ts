import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Encrypts what is secret, each value bound to the place where it is kept. */
export interface SecretVault {
  seal(place: string, value: string): string;
  /** Undefined where it was sealed with another key, for another place, or was changed since. */
  open(place: string, sealed: string): string | undefined;
}

/** AES-256. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1';

/**
 * Reads a key: 32 bytes, as base64 or hex.
 * @throws TypeError when it is no such key; the message does not repeat it
 */
export function readKey(text: string): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : Buffer.from(trimmed, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new TypeError(
    `the key for secrets is no key of ${KEY_BYTES} bytes as base64 or hex (make one with: openssl rand -base64 32)`,
  );
}

/** A key that nobody knows yet. */
export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** A vault with one key: AES-256-GCM, a fresh nonce each time. */
export function createVault(key: Buffer): SecretVault {
  return {
    seal(place, value) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')}`;
    },
    open(place, sealed) {
      const [version, encoded = ''] = sealed.split('.');
      const bytes = Buffer.from(encoded, 'base64');
      if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const text = NONCE_BYTES + TAG_BYTES;
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(place));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, text));
        return Buffer.concat([decipher.update(bytes.subarray(text)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
