/** POST /execute with a line for each of many executions. */
import { isOffered } from './capabilities.mjs';
import { envelope } from './envelope.mjs';
import { streamEvents } from './event-lines.mjs';
import { isRequest } from './execution-request.mjs';
import { NDJSON, parse, refuse } from './replies.mjs';

function failedLine(body) {
  const error = envelope('VALIDATION_ERROR', 'no execution request');
  const executionId = body?.executionId ?? 'unknown';
  return `${JSON.stringify({ executionId, seq: 0, at: new Date().toISOString(), type: 'failed', error })}\n`;
}

/** Whether a batch is refused as a whole, for what is wrong with one of its lines. */
function isRefused(bodies, bad, broken) {
  if (bodies.length === 0) return !broken('streaming.batch-rejects-empty');
  if (bad.length > 0 && broken('streaming.batch-isolates-a-bad-line')) return true;
  return (
    broken('streaming.batch-refuses-alone') && bodies.some(({ capabilityId }) => !isOffered(capabilityId))
  );
}

export async function answerBatch(text, response, { executions, broken }) {
  const lines = text.split('\n').slice(0, -1);
  const used = broken('streaming.batch-ignores-blank-lines')
    ? lines
    : lines.filter((line) => line.trim() !== '');
  const bodies = used.map(parse);
  const bad = bodies.filter((body) => !isRequest(body, broken));
  if (isRefused(bodies, bad, broken)) return refuse(response, 'VALIDATION_ERROR', 'a bad line, or none');
  response.writeHead(200, { 'content-type': NDJSON });
  for (const body of bad) response.write(failedLine(body));
  const good = bodies.filter((body) => isRequest(body, broken));
  const taken = broken('streaming.batch-answers-each') ? good.slice(0, 1) : good;
  await Promise.all(taken.map((body) => streamEvents(executions.start(body), response, broken)));
  return response.end();
}
