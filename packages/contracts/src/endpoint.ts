import type { z } from 'zod';

/**
 * What a caller proves itself with.
 *
 * - `none` nothing
 * - `enroll` an enrollment token, a runner secret or a session credential: whoever is, or is to become, a runner
 * - `runner` the same, of the runner that the request is about
 * - `read`, `submit`, `admin` an API token of this role or a larger one: admin ⊃ submit ⊃ read
 * - `any` any credential at all
 * - `dispatch` a signature by the key that the registration brought, where it brought one
 */
export type EndpointAuth = 'none' | 'enroll' | 'runner' | 'read' | 'submit' | 'admin' | 'any' | 'dispatch';

/** One thing that a server answers: the table's row for SDK client, server router, kit and documents. */
export interface Endpoint {
  /** Which side serves it. */
  readonly server: 'runner' | 'jobforge';
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Parameters are written `:name`. */
  readonly path: string;
  /** Schema of the JSON body; absent where there is none. */
  readonly request?: z.ZodType;
  /** Schema of the query string; absent where there is none. */
  readonly query?: z.ZodType;
  /** Schema of the JSON reply; of each line or message where `stream` is set. */
  readonly response: z.ZodType;
  /** Status of the reply when all is well. */
  readonly status: number;
  readonly stream?: 'sse' | 'websocket' | 'text';
  /** Media types of the reply. Default: JSON, and what `stream` says. */
  readonly media?: readonly string[];
  /** Who may ask. A control plane without authentication, and a runner without a signing key, ask for nothing. */
  readonly auth: EndpointAuth;
  readonly summary: string;
}
