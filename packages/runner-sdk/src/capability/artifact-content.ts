/**
 * What a file that a handler leaves may be made of: bytes, text that is written as UTF-8, the path of a file, or
 * pieces as they come, such as a readable stream. A stream is read once: where the connection breaks half-way it cannot
 * be sent again, and the others can.
 */
export type ArtifactContent =
  | Uint8Array
  | string
  | { readonly path: string }
  | AsyncIterable<Uint8Array | string>;

/** What is said of a file that a handler leaves. */
export interface ArtifactOptions {
  /** A media type. Default: `application/octet-stream`, for text `text/plain; charset=utf-8`. */
  readonly contentType?: string | undefined;
}

/** Whether a content is the path of a file. */
export function isPath(content: ArtifactContent): content is { readonly path: string } {
  return typeof content === 'object' && 'path' in content && !(Symbol.asyncIterator in content);
}
