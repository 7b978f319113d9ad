import type { JobEvent } from '@controlplane/contracts';
import type { JobHandle } from '@controlplane/jobforge';
import { expect, it } from 'vitest';
import type { Stage } from './stage.js';

async function history(job: JobHandle): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of job.events()) events.push(event);
  return events;
}

const logs = (events: readonly JobEvent[]) =>
  events.filter(({ type }) => type === 'job.log').map(({ data }) => data as Record<string, unknown>);

function logging(stage: () => Stage): void {
  it('tells log lines in order, with their fields, before the end', async () => {
    const events = await history(await stage().submit('stage.talk', { lines: 20 }));
    expect(logs(events).map(({ message, fields }) => [message, fields])).toEqual(
      Array.from({ length: 20 }, (_, line) => [`line ${line}`, { line }]),
    );
    expect(events.at(-1)?.type).toBe('job.completed');
  });

  it('tells levels, and no secret', async () => {
    const told = logs(await history(await stage().submit('stage.levels')));
    expect(told.map(({ level }) => level)).toEqual(['info', 'warn', 'error']);
    expect(JSON.stringify(told)).not.toContain('sesame');
    expect(told[0]).toMatchObject({ fields: { user: 'ada' } });
  });

  it('tells 300 lines of one burst in order', async () => {
    const events = await history(await stage().submit('stage.talk', { lines: 300, text: 'l' }));
    const told = logs(events).map(({ message }) => message);
    expect(told).toEqual(Array.from({ length: 300 }, (_, line) => `l ${line}`));
  });

  it('keeps characters of several bytes whole', async () => {
    const told = logs(await history(await stage().submit('stage.talk', { lines: 3, text: '🌍ü日本' })));
    expect(told.map(({ message }) => message)).toEqual(['🌍ü日本 0', '🌍ü日本 1', '🌍ü日本 2']);
  });

  it('tells live, while the handler runs', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.wait');
    const types: string[] = [];
    for await (const { type } of job.events()) {
      types.push(type);
      if (type === 'job.started') acts.release(job.id);
    }
    expect(types.filter((type) => type !== 'job.queued')).toEqual([
      'job.created',
      'job.started',
      'job.completed',
    ]);
  });
}

/** What is told while an execution runs. */
export function telling(stage: () => Stage): void {
  logging(stage);

  it('tells progress and keeps the last of it', async () => {
    const job = await stage().submit('stage.progress');
    const events = await history(job);
    const steps = events.filter(({ type }) => type === 'job.progress').map(({ data }) => data);
    expect(steps.at(-1)).toMatchObject({ fraction: 0.75, message: 'most of it' });
  });

  it('gives events ids that rise, and one end', async () => {
    const events = await history(await stage().submit('stage.talk', { lines: 5 }));
    const ids = events.map(({ id }) => id.split('.').map(Number) as [number, number]);
    const sorted = ids.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
    expect(ids).toEqual(sorted);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.filter(({ type }) => /completed|failed|cancelled/.test(type))).toHaveLength(1);
  });

  it('hands ids, attempt and what the client attached to the handler', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const metadata = { correlationId: 'order-7', userId: 'ada', traceparent };
    const job = await stage().submit('stage.context', {}, { metadata });
    expect((await job.result()).data).toMatchObject({
      jobId: job.id,
      attempt: 1,
      executionId: expect.stringMatching(/^[A-Za-z0-9._:-]+$/),
      metadata: { correlationId: 'order-7', userId: 'ada', traceparent },
    });
  });
}
