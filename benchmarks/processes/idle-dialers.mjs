// Runners that dial in, have nothing to do, and beat every ten seconds. Bare sockets: what is measured is JobForge.
import { WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import { WebSocket } from 'ws';
import { answerParent } from '../harness/child.mjs';
import { echoManifest } from './echo-manifest.mjs';

const HEARTBEAT_MS = 10_000;
const AT_ONCE = 100;
const sockets = [];

const say = (socket, frame) => socket.send(JSON.stringify(frame));

async function dial(number) {
  const socket = new WebSocket(
    `${process.env.JOBFORGE_URL.replace('http', 'ws')}/runners/connect`,
    WEBSOCKET_PROTOCOL,
    {
      perMessageDeflate: false,
    },
  );
  const ready = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code, reason) => reject(new Error(`runner ${number} was closed: ${code} ${reason}`)));
    socket.once('message', (data) => resolve(JSON.parse(data.toString())));
  });
  socket.once('open', () =>
    say(socket, {
      type: 'register',
      registration: {
        ...{ name: `idle-${number}`, version: '1.0.0', contractVersion: '1.0.0', machineId: `m-${number}` },
        ...{ instanceId: `i-${number}`, delivery: { kind: 'websocket' }, capabilities: [echoManifest] },
      },
    }),
  );
  const { type, registration, error } = await ready;
  if (type !== 'ready') throw new Error(`runner ${number} was answered ${type}: ${JSON.stringify(error)}`);
  sockets.push({ socket, runnerId: registration.runnerId });
}

async function connect({ count }) {
  for (let next = 0; next < count; next += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - next) }, (_, index) => dial(next + index)),
    );
  // Spread over the interval, as runners that came at different times are.
  const share = HEARTBEAT_MS / 100;
  let turn = 0;
  setInterval(() => {
    const timestamp = new Date().toISOString();
    for (let index = turn; index < sockets.length; index += 100) {
      const { socket, runnerId } = sockets[index];
      say(socket, { type: 'heartbeat', heartbeat: { runnerId, timestamp, status: 'healthy' } });
    }
    turn = (turn + 1) % 100;
  }, share);
  return { connected: sockets.length };
}

answerParent({ ready: true }, { connect });
