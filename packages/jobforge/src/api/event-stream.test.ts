import { get, type IncomingMessage } from 'node:http';
import { JobEvent } from '@controlplane/contracts';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closeApis,
  json,
  rawRequest,
  Refusal,
  serveApi,
  submission,
  type RunningApi,
} from './api-server.fixture.js';
import { createInMemoryOperations } from './operations-in-memory.fixture.js';

afterEach(closeApis);

async function apiWithJob(options: Parameters<typeof serveApi>[0] = {}): Promise<RunningApi> {
  const api = await serveApi(options);
  await fetch(`${api.url}/jobs`, json(submission({ id: 'a' })));
  return api;
}

const parse = (text: string): EventSourceMessage[] => {
  const messages: EventSourceMessage[] = [];
  createParser({ onEvent: (message) => messages.push(message) }).feed(text);
  return messages;
};

/** Opens a stream and resolves with its response, which nobody reads yet. */
const open = (port: number): Promise<IncomingMessage> =>
  new Promise((resolve, reject) =>
    get({ host: '127.0.0.1', port, path: '/jobs/a/events', agent: false }, resolve).on('error', reject),
  );

const streams = async ({ operations }: RunningApi, count: number): Promise<void> => {
  while (operations.openStreams() !== count) await operations.changed();
};

describe('the events of a job', () => {
  it('are streamed from the first to the last, each with id, type and the event as data', async () => {
    const api = await apiWithJob();
    const reply = await fetch(`${api.url}/jobs/a/events`);
    expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    api.operations.happen('a', 'job.started', { runnerId: 'r' });
    api.operations.happen('a', 'job.log', { level: 'info', message: 'one\ntwo' });
    api.operations.happen('a', 'job.completed');
    const messages = parse(await reply.text());
    expect(messages.map(({ event }) => event)).toEqual([
      'job.created',
      'job.started',
      'job.log',
      'job.completed',
    ]);
    for (const { id, event, data } of messages)
      expect(JobEvent.parse(JSON.parse(data))).toMatchObject({ id, type: event, jobId: 'a' });
  });

  it('are refused where the query cannot be understood', async () => {
    const { url } = await apiWithJob();
    for (const query of ['follow=maybe', `lastEventId=${'1'.repeat(70)}`]) {
      const reply = await fetch(`${url}/jobs/a/events?${query}`);
      expect(reply.status).toBe(400);
      expect(Refusal.parse(await reply.json()).error.code).toBe('VALIDATION_ERROR');
    }
  });

  it.each([
    ['the Last-Event-ID header', { headers: { 'last-event-id': '1.1' } }, ''],
    ['?lastEventId', {}, '?lastEventId=1.1'],
  ])('go on after %s', async (_what, init, query) => {
    const api = await apiWithJob();
    api.operations.happen('a', 'job.started');
    api.operations.happen('a', 'job.completed');
    const reply = await fetch(`${api.url}/jobs/a/events${query}`, init);
    expect(parse(await reply.text()).map(({ id }) => id)).toEqual(['1.2']);
  });

  it('end with 204 for a reader that has them all, so that a browser stops coming back', async () => {
    const api = await apiWithJob();
    api.operations.happen('a', 'job.completed');
    expect((await fetch(`${api.url}/jobs/a/events`, { headers: { 'last-event-id': '1.1' } })).status).toBe(
      204,
    );
  });

  it('end where they stand when they are not to be followed', async () => {
    const api = await apiWithJob();
    const reply = await fetch(`${api.url}/jobs/a/events?follow=false`);
    expect(parse(await reply.text()).map(({ event }) => event)).toEqual(['job.created']);
  });

  it('are refused for a job that is not known', async () => {
    const { url } = await serveApi();
    const reply = await fetch(`${url}/jobs/nobody/events`);
    expect(reply.status).toBe(404);
    expect(Refusal.parse(await reply.json()).error.code).toBe('JOB_NOT_FOUND');
  });

  it('are refused after an id that no event has', async () => {
    const api = await apiWithJob();
    const reply = await fetch(`${api.url}/jobs/a/events?lastEventId=last`);
    expect(reply.status).toBe(400);
    expect(Refusal.parse(await reply.json()).error.message).toContain('"last" is no event id');
  });

  it('have a head of their own', async () => {
    const api = await apiWithJob();
    expect(await rawRequest(api.port, { method: 'HEAD', path: '/jobs/a/events' })).toMatchObject({
      status: 200,
      body: '',
    });
    await streams(api, 0);
  });
});

describe('a stream', () => {
  it('says that it is alive while nothing happens', async () => {
    const api = await apiWithJob({ keepAliveMs: 5 });
    const response = await open(api.port);
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (text.includes(': keep-alive\n\n')) break;
    }
    expect(text).toContain('event: job.created');
  });

  it('lets go of everything when its reader leaves', async () => {
    const api = await apiWithJob();
    const response = await open(api.port);
    await streams(api, 1);
    response.destroy();
    await streams(api, 0);
  });

  it('ends when the server closes', async () => {
    const api = await apiWithJob();
    const response = await open(api.port);
    response.resume();
    await streams(api, 1);
    await Promise.all([api.server.close(), new Promise((resolve) => response.once('close', resolve))]);
    expect(api.operations.openStreams()).toBe(0);
  });

  it('takes no more events than its reader reads, and gives a reader up that has stopped', async () => {
    let taken = 0;
    let letGo = (): void => undefined;
    const ended = new Promise<void>((resolve) => (letGo = resolve));
    const operations = createInMemoryOperations({
      async *jobEvents(jobId) {
        try {
          for (;;) {
            taken++;
            const data = { message: 'x'.repeat(64 * 1024) };
            yield {
              id: `1.${taken}`,
              type: 'job.log',
              jobId,
              timestamp: new Date().toISOString(),
              data,
              metadata: { service: 'jobforge', version: '0' },
            };
          }
        } finally {
          letGo();
        }
      },
    });
    const api = await apiWithJob({ operations, keepAliveMs: 20 });
    const response = await open(api.port);
    response.pause();
    await ended;
    expect(taken * 64 * 1024).toBeLessThan(64 * 1024 * 1024);
    response.destroy();
  });
});
