import type { ErrorCode } from '@controlplane/contracts';
import { sayLargestPart } from '../util/largest-part.js';
import { sayThrown } from '../util/safe-json.js';

/** A value that may not be sent, and why. */
export interface Unsendable {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Writes a value as JSON, unless it cannot be or is too large.
 * @param value - the value
 * @param maxBytes - most bytes of UTF-8
 * @param name - how a message names it; a part of it is named by a path that begins so
 */
export function toBoundedJson(
  value: unknown,
  maxBytes: number,
  name: 'result' | 'checkpoint',
): string | Unsendable {
  const what = `the ${name}`;
  let json: string | undefined;
  try {
    json = value === undefined ? 'null' : JSON.stringify(value);
  } catch (error) {
    return { code: 'OUTPUT_INVALID', message: `${what} cannot be written as JSON: ${sayThrown(error)}` };
  }
  if (json === undefined) {
    return {
      code: 'OUTPUT_INVALID',
      message: `${what} is a ${typeof value}, which cannot be written as JSON`,
    };
  }
  // A UTF-16 unit is at most three bytes of UTF-8: most results need not be measured.
  const bytes = json.length * 3 <= maxBytes ? json.length : Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  return {
    code: 'PAYLOAD_TOO_LARGE',
    message: `${what} is ${bytes} bytes of JSON; at most ${maxBytes} can be sent${sayLargestPart(json, name)}`,
  };
}
