// Plain HTTP against JobForge, and its server-sent events read as text: nothing of the project but the schemas.
import { JobEvent, JobResponse } from '@controlplane/contracts';

export async function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export async function showJob(url: string, id: string): Promise<JobResponse> {
  const response = await fetch(`${url}/jobs/${id}`);
  return JobResponse.parse(await response.json());
}

/** Every event of a job, from the first to the one that ends it. */
export async function* jobEvents(url: string, id: string, lastEventId?: string): AsyncGenerator<JobEvent> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(`${url}/jobs/${id}/events`, { headers });
  if (!response.ok || !response.body) throw new Error(`GET events of ${id}: ${response.status}`);
  let pending = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const messages = (pending + text).split('\n\n');
    pending = messages.pop() ?? '';
    for (const message of messages) {
      const data = message.split('\n').find((line) => line.startsWith('data:'));
      if (data) yield JobEvent.parse(JSON.parse(data.slice('data:'.length)));
    }
  }
}

/** Waits for the end of a job and returns all that happened to it. */
export async function followJob(url: string, id: string): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of jobEvents(url, id)) events.push(event);
  return events;
}
