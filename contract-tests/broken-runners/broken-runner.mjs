/**
 * A runner written by hand from the contract, that keeps all of it but what it is told to break:
 *
 *     node broken-runner.mjs --break execute.rejects-invalid-input
 *
 * Without --break it is conformant. It proves that each case of the kit can fail, and for the right reason.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { createControlPlaneClient } from './control-plane-client.mjs';
import { createExecutions } from './executions.mjs';
import { createRoutes } from './routes.mjs';

const { values } = parseArgs({ options: { break: { type: 'string' } } });
const broken = (id) => values.break === id;

const state = { registered: false, stopping: false };
const executions = createExecutions({ broken });
const routes = createRoutes({ executions, state, broken });
const server = createServer((request, response) => {
  routes(request, response).catch(() => response.destroy());
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = server.address();
  const client = createControlPlaneClient({ url: process.env.JOBFORGE_URL ?? 'http://127.0.0.1:3002', port, state, executions, broken });
  client.join().catch((error) => {
    console.error(error);
    process.exit(1);
  });
  process.on('SIGTERM', () => void stop(client));
});

async function stop(client) {
  if (broken('shutdown.exits')) return;
  if (state.stopping) {
    if (!broken('shutdown.second-signal-stops')) process.exit(1);
    return;
  }
  state.stopping = true;
  await client.leave();
  if (!broken('shutdown.finishes-running-work')) await executions.drain();
  process.exit(broken('shutdown.exits-cleanly') ? 1 : 0);
}
