/**
 * A runner of Swarmlet's that breaks what it can: it checks nothing, knows neither time limits nor cancels nor slots,
 * shows its environment, and goes when it is told to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

const socket = new WebSocket(`${process.env.FOREIGN_URL}/api/runners/ws`);
const say = (frame) => socket.send(JSON.stringify(frame));
const ascii = (text) => text.replaceAll(/[^ -~]/g, '?');

async function run({ job_id, command }) {
  const { input } = JSON.parse(command);
  if (input?.ms !== undefined) await sleep(input.ms);
  const data = `${ascii(JSON.stringify(input))} ${process.env.CONFORMANCE_CANARY_SECRET}`;
  say({ type: 'exec_chunk', job_id, stream: 'stdout', data });
  say({ type: 'exec_done', job_id, exit_code: 0, duration_ms: 7_777 });
}

const metadata = { hostname: 'machine', platform: 'linux', arch: 'x64', runner_version: '0.0.1' };
socket.on('open', () =>
  say({ type: 'hello', runner_id: 7, runner_name: 'builder', secret: 'seven-secret', metadata }),
);
socket.on('message', (/** @type {Buffer} */ data) => {
  const frame = JSON.parse(data.toString('utf8'));
  if (frame.type === 'exec_request') void run(frame);
});
process.on('SIGTERM', () => process.exit(1));
