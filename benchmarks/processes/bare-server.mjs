// The floor: node:http alone, with the validation that the contract asks for and nothing else.
import { createServer } from 'node:http';
import { RunnerExecutionRequest } from '@controlplane/contracts';
import { answerParent } from '../harness/child.mjs';
import { echo, input, output } from './echo.mjs';

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const execution = RunnerExecutionRequest.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    const data = output.parse(echo(input.parse(execution.payload)));
    const reply = JSON.stringify({
      jobId: execution.jobId,
      success: true,
      data,
      executionTimeMs: 0,
      runnerId: 'bare',
    });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(reply),
    });
    response.end(reply);
  });
});
server.listen(0, '127.0.0.1', () => answerParent({ port: server.address().port }, {}));
