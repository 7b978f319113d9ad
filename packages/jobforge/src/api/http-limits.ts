import { DEFAULTS } from '@controlplane/contracts';
import { MAX_JSON_DEPTH } from '../model/json-depth.js';

/** What a client may ask of the listener, in bytes and milliseconds. */
export const HTTP_LIMITS = {
  maxBodyBytes: DEFAULTS.maxBodyBytes,
  maxDepth: MAX_JSON_DEPTH,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  /** Longer than the beat of a runner, so that its connection is kept between two. */
  keepAliveTimeoutMs: 65_000,
  maxConnections: 10_000,
  /** How long an upload that was refused is read on, so that its sender comes to read the answer. */
  refusedUploadMs: 5_000,
  keepAliveCommentMs: 15_000,
  /** Keep-alive comments that a stream's reader may leave unread before it is given up. */
  stalledComments: 4,
  /** How long `close()` waits for requests that are being answered. */
  closeGraceMs: 5_000,
  /** How often connections are looked for meanwhile that have nothing more to say. */
  closeLookMs: 50,
  /** What is wrong with a body is listed up to this many places. */
  maxDetails: 50,
} as const;
