import { createHash } from 'node:crypto';

/** Everything that comes in pieces, in memory. */
export interface Whole {
  readonly content: Buffer;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Reads pieces to their end. */
export async function readWhole(pieces: AsyncIterable<Uint8Array>): Promise<Whole> {
  const gathered: Uint8Array[] = [];
  for await (const piece of pieces) gathered.push(piece);
  const content = Buffer.concat(gathered);
  return { content, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
