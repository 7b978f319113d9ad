import type { JobFile } from '@controlplane/contracts';
import { createReadStream } from 'node:fs';
import type { FileOperations } from '../model/file-operations.js';

/** What a file for a job may be made of: bytes, text that is written as UTF-8, the path of a file, or pieces. */
export type FileContent =
  | Uint8Array
  | string
  | { readonly path: string }
  | AsyncIterable<Uint8Array | string>;

/** A file for a job with its media type. Default: `application/octet-stream`. */
export interface TypedFile {
  readonly content: FileContent;
  readonly contentType?: string | undefined;
}

/** Files for a job, by the names by which its handler asks for them. */
export type FilesInput = Readonly<Record<string, FileContent | TypedFile>>;

async function* piecesOf(content: FileContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') return yield Buffer.from(content);
  if (content instanceof Uint8Array) return yield content;
  const pieces: AsyncIterable<Uint8Array | string> =
    Symbol.asyncIterator in content ? content : createReadStream(content.path);
  for await (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

function typed(given: FileContent | TypedFile): TypedFile {
  return typeof given === 'object' && 'content' in given ? given : { content: given };
}

/** Puts files where a submission can name them, one after the other. */
export async function bringFiles(
  operations: Pick<FileOperations, 'putFile'>,
  files: FilesInput,
): Promise<JobFile[]> {
  const brought: JobFile[] = [];
  for (const [name, given] of Object.entries(files)) {
    const { content, contentType = 'application/octet-stream' } = typed(given);
    const kept = await operations.putFile({ sha256: undefined, body: piecesOf(content) });
    brought.push({ name, contentType, ...kept });
  }
  return brought;
}
