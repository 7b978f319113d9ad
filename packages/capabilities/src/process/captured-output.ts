import { createHiding } from './hide-secrets.js';

/** What is kept of one stream: its beginning and its end. */
export interface CapturedOutput {
  write(chunk: Uint8Array): void;
  /** Bytes that were written. */
  readonly totalBytes: number;
  /** What was kept, as text, and the bytes that are missing between its halves. */
  read(): { readonly text: string; readonly droppedBytes: number };
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** The longest beginning of at most `maxBytes` that splits no character. */
function headOf(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  let end = maxBytes;
  while (end > 0 && isContinuation(bytes[end])) end--;
  return bytes.subarray(0, end);
}

function tailOf(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  let start = bytes.length - maxBytes;
  while (start < bytes.length && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

/** Keeps the last bytes of what is written, copying each of them a bounded number of times. */
function createTail(maxBytes: number): { write(chunk: Uint8Array): void; read(): Buffer } {
  let kept = Buffer.alloc(0);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const gather = (): void => {
    const all = Buffer.concat([kept, ...waiting]);
    kept = Buffer.from(all.subarray(Math.max(0, all.length - maxBytes)));
    waiting = [];
    waitingBytes = 0;
  };
  return {
    write(chunk) {
      waiting.push(chunk.length > maxBytes ? chunk.slice(chunk.length - maxBytes) : chunk);
      waitingBytes += chunk.length;
      if (waitingBytes > maxBytes || waiting.length > 256) gather();
    },
    read() {
      gather();
      return kept;
    },
  };
}

/**
 * Makes what keeps at most `maxBytes` of a stream: the first half and the last half, each in whole characters.
 * @param hidden - secrets that are replaced in the text; one that lies across the cut is replaced too
 */
export function createCapturedOutput(maxBytes: number, hidden: readonly string[] = []): CapturedOutput {
  const hiding = createHiding(hidden);
  // One more, to see whether the byte behind a cut goes on with a character.
  const margin = 1 + hiding.longestBytes;
  const headBytes = Math.ceil(maxBytes / 2);
  const tailBytes = maxBytes - headBytes;
  const head: Uint8Array[] = [];
  let headLeft = headBytes + margin;
  // Long enough for the whole, where it is not cut at all.
  const tail = createTail(maxBytes + margin);
  let totalBytes = 0;

  const hide = (bytes: Buffer): Buffer =>
    hiding.longestBytes === 0 ? bytes : Buffer.from(hiding.text(bytes.toString('utf8')));
  return {
    get totalBytes() {
      return totalBytes;
    },
    write(chunk) {
      totalBytes += chunk.length;
      if (headLeft > 0) {
        const part = chunk.slice(0, headLeft);
        head.push(part);
        headLeft -= part.length;
      }
      tail.write(chunk);
    },
    read() {
      if (totalBytes <= maxBytes) {
        const whole = hide(tail.read());
        if (whole.length <= maxBytes) return { text: whole.toString('utf8'), droppedBytes: 0 };
      }
      const kept = [headOf(hide(Buffer.concat(head)), headBytes), tailOf(hide(tail.read()), tailBytes)];
      const text = Buffer.concat(kept).toString('utf8');
      return { text, droppedBytes: Math.max(0, totalBytes - Buffer.byteLength(text)) };
    },
  };
}
