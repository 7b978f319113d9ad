import type { JobEvent } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { unreachable } from './cli-failure.js';
import { jobEventStream, type JobEventStreamOptions } from './job-event-stream.js';

const event = (seq: number, type: JobEvent['type'] = 'job.log'): string =>
  `id: 1.${seq}\nevent: ${type}\ndata: ${JSON.stringify({ id: `1.${seq}`, type, jobId: 'a', timestamp: new Date().toISOString(), metadata: { service: 's', version: '1' } })}\n\n`;

const collect = async (open: JobEventStreamOptions['open'], follow = true): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { id } of jobEventStream({
    follow,
    open,
    refusalOf: async ({ status }) => new Error(`refused ${status}`),
  }))
    ids.push(id);
  return ids;
};

describe('a job’s event stream', () => {
  it('goes on after the last event seen when the stream breaks or nobody answers for a moment', async () => {
    const asked: (string | undefined)[] = [];
    const ids = await collect(async (afterId) => {
      asked.push(afterId);
      if (asked.length === 1) return new Response(event(0) + event(1));
      if (asked.length === 2) throw unreachable('gone');
      return new Response(event(2, 'job.completed') + event(3));
    });
    expect(ids).toEqual(['1.0', '1.1', '1.2']);
    expect(asked).toEqual([undefined, '1.1', '1.1']);
  });

  it('ends when nothing follows', async () => {
    expect(await collect(async () => new Response(null, { status: 204 }))).toEqual([]);
    expect(await collect(async () => new Response(event(0)), false)).toEqual(['1.0']);
  });

  it('throws at once when nobody has ever answered, and for every refusal', async () => {
    await expect(collect(async () => Promise.reject(unreachable('gone')))).rejects.toThrow('gone');
    await expect(collect(async () => new Response('', { status: 404 }))).rejects.toThrow('refused 404');
  });
});
