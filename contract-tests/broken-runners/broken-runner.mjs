/**
 * A runner written by hand from the contract, that keeps all of it but what it is told to break:
 *
 *     node broken-runner.mjs --break execute.rejects-invalid-input
 *
 * Without --break it is conformant. It proves that each case of the kit can fail, and for the right reason.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { createExecutions } from './executions.mjs';
import { prepareStart, start, stop } from './life.mjs';
import { route } from './routes.mjs';
import { createSignatureCheck } from './signature.mjs';
import { onUnanswered, prepareExchange, prepareServer } from './server-faults.mjs';

const { values } = parseArgs({ options: { break: { type: 'string' } } });
const broken = (id) => values.break === id;
const context = {
  url: process.env.JOBFORGE_URL ?? 'http://127.0.0.1:3002',
  state: { registered: false, receiving: false, stopping: false, missed: 0 },
  executions: createExecutions({ broken }),
  check: createSignatureCheck({ broken }),
  broken,
};

prepareStart(context);
const server = createServer((request, response) => {
  prepareExchange(response, context);
  route(request, response, context).catch((error) => onUnanswered(error, response, context));
});
prepareServer(server, context);

process.on('SIGTERM', () => void stop(server, context));
process.on('SIGINT', () => {
  if (!broken('shutdown.obeys-interrupt')) void stop(server, context);
});
await start(server, context);
