import type { IncomingMessage } from 'node:http';
import { JobForgeError } from '../model/job-forge-error.js';
import { HTTP_LIMITS } from './http-limits.js';
import { isNestedDeeperThan } from '../model/json-depth.js';

/** The caller hung up before its request was complete: there is nobody left to answer. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** Bytes that the request says it has; undefined where it does not say. */
export function declaredLength({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** Whether a body is refused for its length alone. */
export function isTooLong(length: number | undefined): boolean {
  return length !== undefined && length > HTTP_LIMITS.maxBodyBytes;
}

/**
 * Reads the JSON that a request carries.
 * @returns the value; undefined where the request has no body
 * @throws JobForgeError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID_JSON or VALIDATION_ERROR (nested too deep)
 */
export async function readJson(
  request: IncomingMessage,
  maxBytes: number = HTTP_LIMITS.maxBodyBytes,
): Promise<unknown> {
  const length = declaredLength(request);
  if (length === 0 || (length === undefined && request.headers['transfer-encoding'] === undefined))
    return undefined;
  if (length !== undefined && length > maxBytes) throw tooLarge(length, maxBytes);
  const body = await readBytes(request, maxBytes);
  if (body.length === 0) return undefined;
  checkMediaType(request);
  if (isNestedDeeperThan(body, HTTP_LIMITS.maxDepth)) {
    throw new JobForgeError('VALIDATION_ERROR', {
      message: `The body nests arrays and objects deeper than ${HTTP_LIMITS.maxDepth} levels.`,
      remedy: 'Send a flatter document, or the deep part as text.',
    });
  }
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new JobForgeError('INVALID_JSON', {
      message: `The body is not valid JSON: ${reason.slice(0, 200)}`,
    });
  }
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) {
        request.off('data', onData);
        reject(tooLarge(undefined, maxBytes));
      } else {
        chunks.push(chunk);
      }
    };
    request.on('data', onData);
    request.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)),
    );
    request.once('error', () => reject(new CallerGone()));
    request.once('close', () => {
      if (!request.complete) reject(new CallerGone());
    });
  });
}

function tooLarge(length: number | undefined, maxBytes: number): JobForgeError {
  const size = length === undefined ? 'The body' : `The body of ${length} bytes`;
  return new JobForgeError('PAYLOAD_TOO_LARGE', {
    message: `${size} is larger than the limit of ${maxBytes} bytes.`,
  });
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

// Only JSON by name: a web page can send other types to this machine without being asked first.
function checkMediaType({ headers }: IncomingMessage): void {
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new JobForgeError('UNSUPPORTED_MEDIA_TYPE', {
      message: `The content-encoding ${JSON.stringify(encoding.slice(0, 128))} is not read here.`,
      remedy: 'Send the JSON as it is, without compression.',
    });
  }
  if (type === 'application/json' || (type !== undefined && JSON_TYPE.test(type))) return;
  const said =
    type === undefined
      ? 'No content-type was sent'
      : `The content-type ${JSON.stringify(type.slice(0, 128))} is not read here`;
  throw new JobForgeError('UNSUPPORTED_MEDIA_TYPE', { message: `${said}: expected application/json.` });
}
