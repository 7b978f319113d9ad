import { JobLogEntry, NDJSON, type JobEvent } from '@controlplane/contracts';
import type { Operations } from '../model/operations.js';
import { readJson } from './body-reader.js';
import { SECURITY_HEADERS } from './json-reply.js';
import { idOf } from './request-parsing.js';
import type { Exchange } from './served-endpoints.js';

function toEntry({ id, timestamp, type, data }: JobEvent): JobLogEntry | undefined {
  if (type === 'job.log') return JobLogEntry.safeParse({ ...data, id, at: timestamp }).data;
  if (type !== 'job.notification') return undefined;
  const { audience, ...said } = data ?? {};
  const notification = audience === undefined ? {} : { audience };
  return JobLogEntry.safeParse({ ...said, id, at: timestamp, notification }).data;
}

/** What a child process wrote stands as it came; what was logged is a line each. */
function toText(entries: readonly JobLogEntry[]): string {
  let text = '';
  for (const { at, level, message, fields, stream, notification } of entries) {
    if (stream !== undefined) {
      text += message;
      continue;
    }
    if (text !== '' && !text.endsWith('\n')) text += '\n';
    const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
    const to = notification && `[${notification.audience ? `to ${notification.audience}` : 'notification'}] `;
    text += `${at} ${level.padEnd(5)} ${to ?? ''}${message.replaceAll('\n', '\n    ')}${more}\n`;
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
