import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { CapabilityContext } from '../capability/capability-context.js';
import { defineCapability } from '../capability/define-capability.js';
import { createDeferred } from '../util/deferred.js';
import type { RunnerOptions } from './runner-options.js';
import { startRecordingControlPlane } from './recording-control-plane.js';
import { createRunner, type Runner } from './runner.js';

/** A capability that greets, with a log line and progress. */
export const greet = defineCapability({
  id: 'hello.greet',
  version: '1.0.0',
  description: 'Greets by name.',
  input: z.object({ name: z.string() }),
  output: z.object({ message: z.string() }),
  jobTypes: ['greeting'],
  async execute({ name }, ctx) {
    ctx.log.info('greeting', { name });
    await ctx.progress(0.5);
    return { message: `Hello, ${name}` };
  },
});

/** A capability whose end the test decides. */
export function createHeld(id = 'held') {
  const done = createDeferred<unknown>();
  const started = createDeferred<CapabilityContext>();
  const calls: CapabilityContext[] = [];
  const capability = defineCapability({
    id,
    version: '1.0.0',
    description: 'Ends when told.',
    input: z.object({}),
    execute(_input, ctx) {
      calls.push(ctx);
      started.resolve(ctx);
      ctx.signal.addEventListener('abort', () => done.reject(ctx.signal.reason));
      return done.promise;
    },
  });
  return { capability, calls, done, started: started.promise };
}

/** The body of an execute request. */
export const requestOf = (
  capabilityId: string,
  payload: object = {},
  more: object = {},
): Record<string, unknown> => ({
  jobId: 'job-1',
  moduleId: 'module',
  capabilityId,
  payload,
  ...more,
});

interface Posted {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The reply, unless it is lines. */
  readonly json: Record<string, unknown> | undefined;
  readonly lines: ReadonlyArray<Record<string, unknown>>;
}

/** Sends a POST and reads the answer. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Posted> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
  const reply = await response.text();
  const isLines = response.headers.get('content-type') === 'application/x-ndjson';
  const lines = isLines
    ? reply
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];
  return {
    status: response.status,
    headers: response.headers,
    json: isLines ? undefined : (JSON.parse(reply) as Record<string, unknown>),
    lines,
  };
}

/** A runner on a free port, a control plane that it knows, and both gone when the test is over. */
export async function startRunner(options: Partial<RunnerOptions> = {}): Promise<{
  readonly runner: Runner;
  readonly url: string;
  readonly controlPlane: Awaited<ReturnType<typeof startRecordingControlPlane>>;
}> {
  const controlPlane = await startRecordingControlPlane();
  const runner = createRunner({
    name: 'images',
    version: '1.2.0',
    capabilities: [greet],
    port: 0,
    host: '127.0.0.1',
    controlPlaneUrl: controlPlane.url,
    logger: false,
    handleSignals: false,
    ...options,
  });
  onTestFinished(async () => {
    await runner.stop({ drainMs: 1 });
    await controlPlane.close();
  });
  await runner.start();
  return { runner, url: runner.url ?? '', controlPlane };
}
