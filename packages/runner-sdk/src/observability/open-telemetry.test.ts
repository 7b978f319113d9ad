import { AsyncLocalStorage } from 'node:async_hooks';
import {
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { envelopeOf, type TerminalEvent } from '@controlplane/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTelemetry } from './open-telemetry.js';
import type { TracedExecution } from './tracing.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';

const execution: TracedExecution = {
  capabilityId: 'image.resize',
  capabilityVersion: '1.2.0',
  jobId: 'job-1',
  executionId: 'execution-1',
  attempt: 2,
  traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`,
};

const at = { executionId: 'execution-1', seq: 1, at: '2026-01-01T00:00:00.000Z', executionTimeMs: 5 };
const succeeded: TerminalEvent = { type: 'succeeded', ...at, data: null };

/** What a program's own OpenTelemetry setup registers. */
function createContextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (...[active, call, self, ...args]) => storage.run(active, () => call.call(self as never, ...args)),
    bind: (_context, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

function startProvider() {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return {
    tracing: openTelemetry({ tracerProvider }),
    tracerProvider,
    spans: () => exporter.getFinishedSpans(),
  };
}

beforeAll(() => void context.setGlobalContextManager(createContextManager()));
afterAll(() => context.disable());

describe('the span of an execution', () => {
  test('continues the trace that the job was submitted in', () => {
    const { tracing, spans } = startProvider();
    tracing.startSpan(execution).end(succeeded);
    const [span] = spans();
    expect(span?.name).toBe('execute image.resize');
    expect(span?.spanContext().traceId).toBe(TRACE_ID);
    expect(span?.parentSpanContext).toMatchObject({ spanId: SPAN_ID, isRemote: true });
    expect(span?.attributes).toEqual({
      'controlplane.capability.id': 'image.resize',
      'controlplane.capability.version': '1.2.0',
      'controlplane.job.id': 'job-1',
      'controlplane.execution.id': 'execution-1',
      'controlplane.attempt': 2,
      'controlplane.outcome': 'succeeded',
    });
  });

  test.each([undefined, 'nonsense'])(
    'begins a trace of its own where the job names none (%s)',
    (traceparent) => {
      const { tracing, spans } = startProvider();
      tracing.startSpan({ ...execution, traceparent }).end(succeeded);
      expect(spans()[0]?.parentSpanContext).toBeUndefined();
    },
  );

  test('is the active one in the handler, across what it awaits', async () => {
    const { tracing, tracerProvider, spans } = startProvider();
    const span = tracing.startSpan(execution);
    await span.run(async () => {
      await Promise.resolve();
      tracerProvider.getTracer('handler').startSpan('inside', {}, context.active()).end();
    });
    span.end(succeeded);
    const [inside, outside] = spans();
    expect(inside?.parentSpanContext?.spanId).toBe(outside?.spanContext().spanId);
    expect(trace.getSpan(context.active())).toBeUndefined();
  });

  test('tells the code of a failure', () => {
    const { tracing, spans } = startProvider();
    const error = envelopeOf('EXECUTION_TIMEOUT', { service: 'images', message: 'too slow' });
    tracing.startSpan(execution).end({ type: 'failed', ...at, error });
    expect(spans()[0]?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'too slow' });
    expect(spans()[0]?.attributes).toMatchObject({
      'controlplane.outcome': 'failed',
      'error.type': 'EXECUTION_TIMEOUT',
    });
  });

  test('tells why it was cancelled, and that it went elsewhere', () => {
    const { tracing, spans } = startProvider();
    tracing.startSpan(execution).end({ type: 'cancelled', ...at, reason: 'user', message: 'on request' });
    tracing.startSpan(execution).end(undefined);
    expect(spans().map(({ attributes }) => attributes['controlplane.outcome'])).toEqual([
      'cancelled',
      'superseded',
    ]);
    expect(spans()[0]?.attributes['controlplane.cancel.reason']).toBe('user');
    expect(spans()[0]?.status.code).toBe(SpanStatusCode.UNSET);
  });
});

test('without a registered provider nothing is recorded and everything works', () => {
  const span = openTelemetry().startSpan(execution);
  expect(span.run(() => 'result')).toBe('result');
  expect(() => span.end(succeeded)).not.toThrow();
});
