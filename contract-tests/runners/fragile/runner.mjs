/** A runner that a body which is not JSON brings down: the kit must go on, and blame the right case. */
import { once } from 'node:events';
import { createServer } from 'node:http';

const port = Number(process.env.PORT);
const root = `http://127.0.0.1:${port}`;
const capability = {
  id: 'text.upper',
  name: 'Upper case',
  version: '1.0.0',
  description: 'Writes a text in capitals.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  outputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  supportedJobTypes: [],
  maxConcurrency: 10,
};

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function execute(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  // Not caught: a rejected promise ends the process.
  const { jobId, payload } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  answer(response, 200, { jobId, success: true, data: { text: payload.text.toUpperCase() } });
}

const server = createServer((request, response) => {
  if (request.url === '/health') answer(response, 200, { status: 'healthy' });
  else if (request.url === '/execute' && request.method === 'POST') void execute(request, response);
  else answer(response, 404, {});
});

server.listen(port, '127.0.0.1');
await once(server, 'listening');
const body = {
  name: 'fragile',
  version: '1.0.0',
  contractVersion: '1.0.0',
  capabilities: [capability],
  healthCheckEndpoint: `${root}/health`,
};
await fetch(new URL('/runners/register', process.env.JOBFORGE_URL), {
  method: 'POST',
  body: JSON.stringify(body),
});
