// A load generator that costs little: raw keep-alive sockets, one prepared request each, replies counted by their
// content-length. It checks that each reply is a 200 and nothing more.
import { connect } from 'node:net';

/**
 * Sends requests that differ in an id alone, one after the other on each connection.
 * @param {{ port: number, path: string, body: (id: string) => string, connections: number, durationMs: number }} load
 * `body` is given ids of one length, so that all requests are equally long
 * @returns {Promise<{ requests: number, seconds: number }>}
 */
export async function httpLoad({ port, path, body, connections, durationMs }) {
  const head =
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
    `accept: application/json\r\ncontent-length: ${Buffer.byteLength(body(nextId()))}\r\n\r\n`;
  const nextRequest = () => head + body(nextId());
  const started = performance.now();
  const busy = stayAwake();
  const counts = await Promise.all(
    Array.from({ length: connections }, () =>
      oneConnection({ port, nextRequest, until: started + durationMs }),
    ),
  );
  busy.end();
  return {
    requests: counts.reduce((sum, count) => sum + count, 0),
    seconds: (performance.now() - started) / 1000,
  };
}

/**
 * Keeps this process from sleeping between replies. A server that writes to a sleeping process pays for waking it,
 * about as much as for a whole request, and only the server that is slower than the load lets the load sleep.
 */
function stayAwake() {
  let isAwake = true;
  const spin = () => {
    if (isAwake) setImmediate(spin);
  };
  spin();
  return {
    end() {
      isAwake = false;
    },
  };
}

let lastId = 0;
const nextId = () => String((lastId += 1)).padStart(26, '0');

function oneConnection({ port, nextRequest, until }) {
  return new Promise((resolve, reject) => {
    let requests = 0;
    let pending = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => socket.write(nextRequest()));
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const end = replyEnd(pending);
      if (end === undefined || pending.length < end) return;
      if (pending.toString('latin1', 9, 12) !== '200') {
        socket.destroy();
        reject(new Error(`unexpected reply: ${pending.toString('utf8', 0, 400)}`));
        return;
      }
      pending = Buffer.alloc(0);
      requests += 1;
      if (performance.now() < until) socket.write(nextRequest());
      else socket.end(() => resolve(requests));
    });
  });
}

function replyEnd(bytes) {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head));
  if (!length) throw new Error('the reply has no content-length');
  return head + 4 + Number(length[1]);
}
