/** A WebSocket client over node:http alone: text frames, pings, close. */
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** One frame, masked as a client must. */
function frameOf(opcode, payload) {
  const mask = randomBytes(4);
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + extended);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index % 4])]);
}

/** The first frame of the bytes; undefined where it is not whole. Servers do not mask and need not be checked. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const extended = short < 126 ? 0 : short === 126 ? 2 : 8;
  const start = 2 + extended;
  if (bytes.length < start) return undefined;
  const length =
    extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  return {
    opcode: bytes[0] & 0x0f,
    isFinal: (bytes[0] & 0x80) !== 0,
    payload: bytes.subarray(start, start + length),
    rest: bytes.subarray(start + length),
  };
}

function serve(socket, head, { answersPings, onText, onPong, onClose }) {
  let bytes = head;
  let parts = [];
  const write = (opcode, payload) => {
    if (!socket.destroyed) socket.write(frameOf(opcode, payload));
  };
  const take = ({ opcode, isFinal, payload }) => {
    if (opcode === PING && answersPings) write(PONG, payload);
    if (opcode === PONG) onPong();
    if (opcode === CLOSE) {
      write(CLOSE, payload);
      socket.end();
    }
    if (opcode > TEXT) return;
    parts.push(payload);
    if (!isFinal) return;
    const text = Buffer.concat(parts).toString('utf8');
    parts = [];
    onText(text);
  };
  const read = (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let frame = readFrame(bytes); frame; frame = readFrame(bytes)) {
      bytes = frame.rest;
      take(frame);
    }
  };
  socket.on('data', read);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => onClose(undefined));
  queueMicrotask(() => read(Buffer.alloc(0)));
  return {
    send: (text) => write(TEXT, Buffer.from(text)),
    ping: () => write(PING, Buffer.alloc(0)),
    close: (code) => {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      write(CLOSE, payload);
      socket.end();
    },
    terminate: () => socket.destroy(),
  };
}

async function bodyOf(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Dials. `onOpen` gets the socket; `onClose` gets the body of an upgrade that was refused, else undefined. */
export function dial(url, { headers, protocol, onOpen, ...listeners }) {
  const key = randomBytes(16).toString('base64');
  const asked = request(url.replace(/^ws/, 'http'), {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(protocol ? { 'sec-websocket-protocol': protocol } : {}),
      ...headers,
    },
  });
  asked.on('upgrade', (response, socket, head) => {
    const expected = createHash('sha1')
      .update(key + MAGIC)
      .digest('base64');
    if (response.headers['sec-websocket-accept'] !== expected) return socket.destroy();
    onOpen(serve(socket, head, listeners));
  });
  asked.on('response', (response) => void bodyOf(response).then(listeners.onClose));
  asked.on('error', () => listeners.onClose(undefined));
  asked.end();
}
