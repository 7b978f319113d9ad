/**
 * @module
 * The other direction: the kit plays runners and clients against a control plane. Knows the wire, judges nothing.
 */
import { randomUUID } from 'node:crypto';
import { Mismatch } from '../../case/verdict.js';
import { send, type Exchange } from '../exchange.js';

/** The control plane that is judged, and what proves who asks. */
export interface JudgedPlane {
  /** Without a slash at its end. */
  readonly url: string;
  /** A token that may do everything; undefined where none is asked for. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** What is asked beside method and path. */
export interface Asking {
  readonly body?: unknown;
  /** The body as it is. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Proves who asks; `nobody` sends no credential. Default: the token of the plane. */
  readonly as?: string | undefined;
  /** As `send` has it. */
  readonly inPieces?: boolean;
  /** Breaks the request off. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks nothing of who asks. */
export const NOBODY = 'nobody';

/** Asks the control plane once. */
export function ask(
  { url, token, signal }: JudgedPlane,
  [method, path]: readonly [string, string],
  { body, text, headers = {}, as = token, inPieces, signal: broken = signal }: Asking = {},
): Promise<Exchange> {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  return send(
    {
      method,
      url: `${url}${path}`,
      headers: {
        accept: 'application/json',
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...(as === undefined || as === NOBODY ? {} : { authorization: `Bearer ${as}` }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: content }),
    },
    { signal: AbortSignal.any([signal, broken]), inPieces },
  );
}

/** A token that a runner enrolls with; undefined where nobody is asked for one. */
export async function enrollmentToken(plane: JudgedPlane): Promise<string | undefined> {
  if (plane.token === undefined) return undefined;
  const created = await ask(plane, ['POST', '/tokens'], {
    body: { kind: 'enrollment', name: `kit-${randomUUID()}` },
  });
  // A control plane without such tokens has its runners prove themselves as everybody does.
  if (created.status === 404) return plane.token;
  const { token } = Object(created.json) as { readonly token?: unknown };
  if (typeof token !== 'string')
    throw new Mismatch({
      sent: 'POST /tokens for an enrollment token',
      expected: 'a token',
      actual: `HTTP ${created.status}`,
      exchange: { ...created, text: '' },
    });
  return token;
}
