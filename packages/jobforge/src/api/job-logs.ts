import { JobLogEntry, NDJSON, type JobEvent } from '@controlplane/contracts';
import type { Operations } from '../model/operations.js';
import { readJson } from './body-reader.js';
import { SECURITY_HEADERS } from './json-reply.js';
import { idOf } from './request-parsing.js';
import type { Exchange } from './served-endpoints.js';

function toEntry({ id, timestamp, type, data }: JobEvent): JobLogEntry | undefined {
  return type === 'job.log' ? JobLogEntry.safeParse({ ...data, id, at: timestamp }).data : undefined;
}

/** What a child process wrote stands as it came; what was logged is a line each. */
function toText(entries: readonly JobLogEntry[]): string {
  let text = '';
  for (const { at, level, message, fields, stream } of entries) {
    if (stream !== undefined) {
      text += message;
      continue;
    }
    if (text !== '' && !text.endsWith('\n')) text += '\n';
    const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
    text += `${at} ${level.padEnd(5)} ${message.replaceAll('\n', '\n    ')}${more}\n`;
  }
  return text;
}

/** Answers `GET /jobs/:id/logs`: what a job has logged so far, as text or an entry a line. */
export async function answerJobLogs(
  { request, response, params }: Exchange,
  operations: Operations,
): Promise<void> {
  const id = idOf(params, 'JOB_NOT_FOUND');
  await readJson(request);
  const entries: JobLogEntry[] = [];
  for await (const event of operations.jobEvents(id, { follow: false })) {
    const entry = toEntry(event);
    if (entry !== undefined) entries.push(entry);
  }
  const asLines = request.headers.accept?.toLowerCase().includes(NDJSON) ?? false;
  const body = asLines ? entries.map((entry) => `${JSON.stringify(entry)}\n`).join('') : toText(entries);
  response.writeHead(200, [
    'content-type',
    asLines ? NDJSON : 'text/plain; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    ...SECURITY_HEADERS,
  ]);
  response.end(body);
}
