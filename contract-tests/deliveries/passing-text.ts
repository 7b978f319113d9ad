/** What passes in one direction of a connection, as text: as it is, but for the frames of a WebSocket client, which are masked. */
export type PassingText = (bytes: Buffer) => string;

const HEAD_END = '\r\n\r\n';
const EXTENDED_16 = 126;
const EXTENDED_64 = 127;

interface Frame {
  readonly text: string;
  readonly rest: Buffer;
}

/** The length of a frame's payload, and where its mask begins. */
function measure(bytes: Buffer): { readonly length: number; readonly maskAt: number } | undefined {
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < EXTENDED_16) return { length: short, maskAt: 2 };
  if (short === EXTENDED_16)
    return bytes.length < 4 ? undefined : { length: bytes.readUInt16BE(2), maskAt: 4 };
  if (short === EXTENDED_64 && bytes.length < 10) return undefined;
  return { length: Number(bytes.readBigUInt64BE(2)), maskAt: 10 };
}

/** The first frame that is there as a whole. */
function firstFrame(bytes: Buffer): Frame | undefined {
  const measured = bytes.length < 2 ? undefined : measure(bytes);
  if (measured === undefined) return undefined;
  const { length, maskAt } = measured;
  const from = maskAt + 4;
  if (bytes.length < from + length) return undefined;
  const payload = bytes.subarray(from, from + length);
  const plain = payload.map((byte, index) => byte ^ (bytes[maskAt + (index % 4)] ?? 0));
  return { text: Buffer.from(plain).toString('latin1'), rest: bytes.subarray(from + length) };
}

/** Reads what a client sends. Of frames it tells those that are complete with what has just come. */
export function readClient(): PassingText {
  let head: string | undefined = '';
  let isFramed = false;
  let frames = Buffer.alloc(0);

  const readHead = (text: string): string => {
    head = (head ?? '') + text;
    const end = head.indexOf(HEAD_END);
    if (end < 0) return '';
    isFramed = /^upgrade: *websocket/im.test(head.slice(0, end));
    const after = head.slice(end + HEAD_END.length);
    head = undefined;
    return after;
  };
  const readFrames = (bytes: Buffer): string => {
    frames = Buffer.concat([frames, bytes]);
    let text = '';
    for (let frame = firstFrame(frames); frame !== undefined; frame = firstFrame(frames)) {
      text += frame.text;
      frames = frame.rest as Buffer<ArrayBuffer>;
    }
    return text;
  };
  return (bytes) => {
    const text = bytes.toString('latin1');
    if (head === undefined) return isFramed ? readFrames(bytes) : text;
    const after = readHead(text);
    return isFramed ? readFrames(Buffer.from(after, 'latin1')) : text;
  };
}

/** Reads what a server sends: nothing of it is masked. */
export const readServer = (): PassingText => (bytes) => bytes.toString('latin1');
