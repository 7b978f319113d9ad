import { StringDecoder } from 'node:string_decoder';

/** What is kept of one stream of a program, for its result. */
export interface KeptOutput {
  push(text: string): void;
  /** The first of it. */
  text(): string;
  /** All that came. */
  totalBytes(): number;
  droppedBytes(): number;
}

/** @param maxBytes - of UTF-8 that are kept; no character is cut in two */
export function createKeptOutput(maxBytes: number): KeptOutput {
  const kept: string[] = [];
  let keptBytes = 0;
  let totalBytes = 0;
  return {
    push(text) {
      const bytes = Buffer.from(text);
      const isFull = keptBytes < totalBytes;
      totalBytes += bytes.length;
      if (isFull) return;
      const room = maxBytes - keptBytes;
      const head = bytes.length <= room ? text : new StringDecoder('utf8').write(bytes.subarray(0, room));
      kept.push(head);
      keptBytes += Buffer.byteLength(head);
    },
    text: () => kept.join(''),
    totalBytes: () => totalBytes,
    droppedBytes: () => totalBytes - keptBytes,
  };
}
