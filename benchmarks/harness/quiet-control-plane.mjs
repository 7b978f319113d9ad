// Answers registration and heartbeat and sends no work: what a runner needs to be content.
import { createServer } from 'node:http';
import { once } from 'node:events';

export async function quietControlPlane() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const reply = request.url?.endsWith('/register')
        ? { runnerId: 'bench', registeredAt: new Date().toISOString(), heartbeatIntervalMs: 60_000 }
        : { known: true, receiving: true, directives: [], runnerId: 'bench', deregistered: true };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
