import { createJobForge } from '@controlplane/jobforge';
import { createRunner, defineCapability } from '@controlplane/runner-sdk';
import { openTelemetry } from '@controlplane/runner-sdk/opentelemetry';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { post, showJob } from './client.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';

async function startLine(delivery: 'push' | 'websocket' | 'long-poll') {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  const seen: unknown[] = [];
  const flaky = defineCapability({
    id: 'flaky',
    version: '1.0.0',
    description: 'Fails the first time.',
    input: z.object({}),
    execute(_input, ctx) {
      seen.push(ctx.metadata.traceparent);
      if (ctx.attempt === 1) throw new Error('the first attempt fails');
      return { attempt: ctx.attempt };
    },
  });
  const runner = createRunner({
    name: 'traced',
    capabilities: [flaky],
    controlPlaneUrl: forge.url,
    port: 0,
    logger: false,
    handleSignals: false,
    delivery,
    tracing: openTelemetry({ tracerProvider }),
  });
  onTestFinished(async () => {
    await runner.stop({ drainMs: 1 });
    await forge.stop({ drainMs: 0 });
  });
  await runner.start();
  await runner.ready();
  return { forge, seen, spans: () => exporter.getFinishedSpans() };
}

it.each(['push', 'websocket', 'long-poll'] as const)(
  'a trace goes from the submitted job to a span for each attempt, by %s',
  async (delivery) => {
    const { forge, seen, spans } = await startLine(delivery);
    const traceparent = `00-${TRACE_ID}-${SPAN_ID}-01`;
    const job = await forge.submit({
      capability: 'flaky',
      input: {},
      metadata: { traceparent },
      retryPolicy: { maxRetries: 1, backoffMs: 1 },
    });
    expect(await job.result()).toMatchObject({ success: true, data: { attempt: 2 } });
    expect(seen).toEqual([traceparent, traceparent]);
    expect(
      spans().map(({ attributes }) => [
        attributes['controlplane.attempt'],
        attributes['controlplane.outcome'],
      ]),
    ).toEqual([
      [1, 'failed'],
      [2, 'succeeded'],
    ]);
    for (const span of spans()) {
      expect(span.spanContext().traceId).toBe(TRACE_ID);
      expect(span.parentSpanContext?.spanId).toBe(SPAN_ID);
      expect(span.attributes['controlplane.job.id']).toBe(job.id);
    }
  },
);

it('a job submitted over HTTP without a trace is not given one', async () => {
  const { forge, seen, spans } = await startLine('push');
  const submission = {
    id: 'untraced',
    type: 'flaky',
    payload: { type: 'flaky', data: {} },
    retryPolicy: { maxRetries: 1, backoffMs: 1 },
  };
  expect((await post(`${forge.url}/jobs`, submission)).status).toBe(202);
  await expect.poll(async () => (await showJob(forge.url ?? '', 'untraced')).status).toBe('completed');
  expect(seen).toEqual([undefined, undefined]);
  expect(spans().every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(true);
});
