/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|api[-_]?key|authorization|cookie|credential|private[-_]?key/i;

// Nothing here may repeat before the word that is looked for: a text of one long word would take the square of its
// length, and texts come from whoever writes logs.
const NAMED_SECRET =
  /((?:password|passwd|secret|token|api[-_]?key)["']?\s*[=:]\s*["']?|\bauthorization["']?\s*[=:]\s*["']?(?:bearer\s+|basic\s+)?|\bbearer\s+)[^\s"',;&]+/gi;
const URL_PASSWORD = /(:\/\/[^\s/:@]*:)[^\s/@]+@/g;

/** Whether a member of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Replaces what looks like a secret in free text: `password=…`, `Bearer …`, the password of a URL. Takes time in
 * proportion to the text, whatever that holds.
 */
export function redactText(text: string): string {
  return text.replace(NAMED_SECRET, `$1${REDACTED}`).replace(URL_PASSWORD, `$1${REDACTED}@`);
}
