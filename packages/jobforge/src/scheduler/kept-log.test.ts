import type { JobEvent } from '@controlplane/contracts';
import { afterEach, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';

const test = openForges();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };
const MARKER = /\[(\d+) bytes of log left out\]\n/;

async function collect(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const all: JobEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const logText = (events: readonly JobEvent[]): string =>
  events.flatMap(({ type, data }) => (type === 'job.log' ? [String(data?.['message'])] : [])).join('');

it('of 200 KB of output the record holds exactly its bytes, valid, and the true number of the others', async () => {
  const chunks = Array.from({ length: 4 }, (_, at) => String(at).repeat(50_000));
  const { forge } = await test.pair({
    form: 'batch',
    handle(execution) {
      execution.accept();
      for (const message of chunks) execution.send({ type: 'log', level: 'info', stream: 'stdout', message });
      execution.succeed();
    },
  });
  const job = await forge.submit(echo);
  const live = await collect(job.events());
  const text = logText(await collect(job.events({ follow: false })));
  expect(logText(live)).toHaveLength(200_000);
  const [head = '', bytes = '', tail = ''] = text.split(MARKER);
  expect(head.trimEnd()).toBe('0'.repeat(25_600));
  expect(tail).toBe('3'.repeat(25_600));
  expect(Number(bytes)).toBe(200_000 - 51_200);
  expect(await job.show()).toMatchObject({ droppedBytes: 148_800, droppedEvents: 2 });
});

it('live subscribers get what the record leaves out, in order', async () => {
  const { forge } = await test.pair({
    form: 'batch',
    limits: { maxLogBytes: 100 },
    handle(execution) {
      execution.accept();
      for (let line = 0; line < 300; line += 1) {
        execution.send({ type: 'log', level: 'info', message: `line ${line}` });
        if (line % 3 === 0) execution.send({ type: 'progress', fraction: line / 300 });
      }
      execution.succeed();
    },
  });
  const job = await forge.submit(echo);
  const live = await collect(job.events());
  expect(live.filter(({ type }) => type === 'job.log').map(({ data }) => data?.['message'])).toEqual(
    Array.from({ length: 300 }, (_, line) => `line ${line}`),
  );
});

it('who comes late to a job that runs sees the beginning and the end of its log', async () => {
  const { forge, runner } = await test.pair({
    form: 'batch',
    limits: { maxLogBytes: 40 },
    handle(execution) {
      execution.accept();
      for (let line = 0; line < 50; line += 1)
        execution.send({ type: 'log', level: 'info', message: `${line}\n` });
      execution.send({ type: 'progress', fraction: 0.5 });
    },
  });
  const job = await forge.submit(echo);
  for await (const { type } of job.events()) if (type === 'job.progress') break;
  const text = logText(await collect(job.events({ follow: false })));
  expect(text).toMatch(/^0\n1\n2\n.*\[\d+ bytes of log left out\]\n.*48\n49\n$/s);
  runner.executions[0]?.succeed();
  await job.result();
  expect(logText(await collect(job.events()))).toBe(text);
});

it('secrets that a runner let through are hidden in what is kept and told', async () => {
  const { forge } = await test.pair({
    form: 'batch',
    handle(execution) {
      execution.accept();
      execution.send({ type: 'log', level: 'info', message: 'password=hunter2', fields: { apiKey: 'k' } });
      execution.succeed();
    },
  });
  const job = await forge.submit(echo);
  const live = JSON.stringify(await collect(job.events()));
  const later = JSON.stringify(await collect(job.events()));
  for (const seen of [live, later]) expect(seen).not.toMatch(/hunter2|"k"/);
});
