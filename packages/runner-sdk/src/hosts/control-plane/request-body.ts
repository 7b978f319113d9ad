import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { NDJSON } from '@controlplane/contracts';
import { readBody } from '../../transport/read-body.js';
import type { ErrorCode } from '@controlplane/contracts';

/** A request's body, read and parsed; or what is wrong with it. */
export type ParsedBody =
  | { readonly value: unknown; readonly code?: undefined }
  | { readonly code: ErrorCode; readonly message: string }
  | { readonly code: 'ABORTED' };

/** A request that a body parser of the application may have read already. */
type MaybeParsed = IncomingMessage & { readonly body?: unknown };

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

function checkMediaType(
  request: IncomingMessage,
  allowed: 'json' | 'json or ndjson',
): { code: ErrorCode; message: string } | undefined {
  const type = request.headers['content-type'];
  const isAllowed =
    type !== undefined &&
    (type === 'application/json' ||
      JSON_TYPE.test(type) ||
      (allowed === 'json or ndjson' && type.startsWith(NDJSON)));
  if (!isAllowed) {
    return {
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: `content-type is ${type === undefined ? 'missing' : `"${type}"`}; send application/json`,
    };
  }
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return undefined;
  return {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: `content-encoding "${encoding}" is not read here; send the body as it is`,
  };
}

/** Parses JSON text; the message says where it broke. */
export function parseJson(text: string): ParsedBody {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const shown =
      text === '' ? 'the body is empty' : `the body is not valid JSON: ${(error as Error).message}`;
    return { code: 'INVALID_JSON', message: shown };
  }
}

/** How a body is to be read. */
export interface BodyOptions {
  readonly maxBytes: number;
  /** `text` is what a batch is sent as, parsed line by line later. */
  readonly as: 'json' | 'text';
  /** Looks at the body as it came, before it is parsed; what is wrong with its signature is answered in words. */
  readonly verify?: ((headers: IncomingHttpHeaders, body: string) => string | undefined) | undefined;
}

function fromApplication(body: unknown, as: BodyOptions['as']): ParsedBody {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : body;
  if (as === 'text') return { value: typeof text === 'string' ? text : JSON.stringify(text) };
  return typeof text === 'string' ? parseJson(text) : { value: text };
}

/** Whether the application has read the body. The parsers of express 4 leave `{}` for what they did not read. */
function isReadByApplication({ body, readableEnded }: MaybeParsed): boolean {
  if (body === undefined) return false;
  return readableEnded || typeof body !== 'object' || body === null || Object.keys(body).length > 0;
}

/** A signature is of bytes: what a parser made of them cannot be verified any more. */
function verifyRead({ body, headers }: MaybeParsed, { verify }: BodyOptions): ParsedBody | undefined {
  if (!verify) return undefined;
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const bad = verify(headers, isRaw ? body.toString('utf8') : '');
  if (bad === undefined) return undefined;
  const why = isRaw ? '' : '; a parser of the application has read the body: mount the runner before it';
  return { code: 'SIGNATURE_INVALID', message: `${bad}${why}` };
}

/**
 * Reads a body, unless the application's own parser has done so.
 * @param request - the request
 * @param options - limit and form
 * @param done - called once
 */
export function readRequestBody(
  request: MaybeParsed,
  options: BodyOptions,
  done: (body: ParsedBody) => void,
): void {
  const refused = checkMediaType(request, options.as === 'text' ? 'json or ndjson' : 'json');
  if (refused) {
    request.resume();
    return done(refused);
  }
  if (isReadByApplication(request)) {
    const bad = verifyRead(request, options);
    return done(bad ?? fromApplication(request.body, options.as));
  }
  readBody(request, options.maxBytes, (body) => {
    if (body.text !== undefined) {
      const bad = options.verify?.(request.headers, body.text);
      if (bad !== undefined) return done({ code: 'SIGNATURE_INVALID', message: bad });
      return done(options.as === 'text' ? { value: body.text } : parseJson(body.text));
    }
    if (body.problem === 'aborted') return done({ code: 'ABORTED' });
    done({ code: 'PAYLOAD_TOO_LARGE', message: `the body is larger than ${options.maxBytes} bytes` });
  });
}
