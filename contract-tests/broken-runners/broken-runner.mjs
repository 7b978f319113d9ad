/**
 * A runner written by hand from the contract, that keeps all of it but what it is told to break:
 *
 *     node broken-runner.mjs --break execute.rejects-invalid-input
 *
 * Without --break it is conformant. It proves that each case of the kit can fail, and for the right reason.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { join, leave } from './control-plane-client.mjs';
import { createExecutions } from './executions.mjs';
import { route } from './routes.mjs';
import { createSignatureCheck } from './signature.mjs';
import { onUnanswered, prepareExchange, prepareServer } from './server-faults.mjs';

const { values } = parseArgs({ options: { break: { type: 'string' } } });
const broken = (id) => values.break === id;
const context = {
  url: process.env.JOBFORGE_URL ?? 'http://127.0.0.1:3002',
  state: { registered: false, stopping: false },
  executions: createExecutions({ broken }),
  check: createSignatureCheck({ broken }),
  broken,
};

async function stop() {
  if (broken('shutdown.exits')) return;
  if (context.state.stopping) {
    if (!broken('shutdown.second-signal-stops')) process.exit(1);
    return;
  }
  context.state.stopping = true;
  await leave(context);
  if (!broken('shutdown.finishes-running-work')) await context.executions.drain();
  process.exit(broken('shutdown.exits-cleanly') ? 1 : 0);
}

const server = createServer((request, response) => {
  prepareExchange(response, context);
  route(request, response, context).catch((error) => onUnanswered(error, response, context));
});
prepareServer(server, context);

process.on('SIGTERM', () => void stop());
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  context.port = server.address().port;
  join(context).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
