import { CapabilityError, isCapabilityError } from '../errors/capability-error.js';
import { readMember, sayThrown, toSafeJson } from '../util/safe-json.js';
import type { ThrownWords } from './isolation-messages.js';

const MAX_CAUSES = 10;

function textOf(value: object, key: string): string | undefined {
  const member = readMember(value, key);
  return typeof member === 'string' ? member : undefined;
}

function wordsOf(thrown: unknown, depth: number): ThrownWords {
  if (typeof thrown !== 'object' || thrown === null) return { name: 'NonError', message: String(thrown) };
  const cause = readMember(thrown, 'cause');
  const options = isCapabilityError(thrown) ? readMember(thrown, 'options') : undefined;
  const said = textOf(thrown, 'message');
  return {
    name: textOf(thrown, 'name') ?? 'NonError',
    message: said || sayThrown(thrown),
    stack: textOf(thrown, 'stack'),
    code: textOf(thrown, 'code'),
    ...(typeof options === 'object' && options !== null
      ? { options: toSafeJson({ ...options, cause: undefined }) }
      : {}),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: wordsOf(cause, depth + 1) }),
  };
}

/** Puts a thrown value in plain words. Never throws, whatever the value does. */
export function toWords(thrown: unknown): ThrownWords {
  try {
    return wordsOf(thrown, 0);
  } catch {
    return { name: 'NonError', message: 'a value that cannot be read was thrown' };
  }
}

/** Makes an error of the words, on the other side. */
export function fromWords({ name, message, stack, code, options, cause }: ThrownWords): Error {
  const under = cause === undefined ? {} : { cause: fromWords(cause) };
  const error =
    options !== undefined && code !== undefined
      ? new CapabilityError(code, message, { ...(options as object), ...under })
      : Object.assign(new Error(message, under), code === undefined ? {} : { code });
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true });
  if (stack !== undefined) error.stack = stack;
  return error;
}
