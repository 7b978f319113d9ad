import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a secret is for: it begins with this, so that whoever finds one knows what to take back. */
export const SECRET_PREFIX = { api: 'jfa_', enrollment: 'jfe_', runner: 'jfr_' } as const;

export type SecretKind = keyof typeof SECRET_PREFIX;

const SECRET_BYTES = 32;

/** A secret that nobody has had before. */
export function newSecret(kind: SecretKind): string {
  return SECRET_PREFIX[kind] + randomBytes(SECRET_BYTES).toString('base64url');
}

/** What is kept of a secret. One round is enough: it has 256 random bits. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares in constant time. */
export function isHashOf(hash: string, secret: string): boolean {
  const [kept, sent] = [Buffer.from(hash, 'hex'), createHash('sha256').update(secret).digest()];
  return kept.length === sent.length && timingSafeEqual(kept, sent);
}

/** A credential as it is sent, taken apart. */
export type CredentialText =
  | { readonly form: SecretKind; readonly id: string; readonly secret: string }
  | { readonly form: 'session'; readonly token: string }
  | { readonly form: 'other'; readonly text: string };

/** Longer than anything that JobForge hands out. */
const MAX_CREDENTIAL_LENGTH = 8_192;

/** Takes a credential apart: `<id>.<secret>`, or a session credential with its two dots. */
export function readCredential(text: string): CredentialText {
  if (text.length > MAX_CREDENTIAL_LENGTH) return { form: 'other', text: '' };
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return { form: 'session', token: text };
  const dot = text.lastIndexOf('.');
  const [id, secret] = [text.slice(0, Math.max(0, dot)), text.slice(dot + 1)];
  const form = (Object.keys(SECRET_PREFIX) as SecretKind[]).find((kind) =>
    secret.startsWith(SECRET_PREFIX[kind]),
  );
  if (form === undefined || id === '' || id.length > 128) return { form: 'other', text };
  return { form, id, secret };
}
