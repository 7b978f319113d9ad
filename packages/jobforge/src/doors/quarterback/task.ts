import { createHash } from 'node:crypto';
import { envelopeOf, type RunnerCapability, type RunnerExecutionRequest } from '@controlplane/contracts';
import type {
  QuarterbackAssignment,
  QuarterbackLogSession,
  QuarterbackStatusUpdate,
} from '@controlplane/contracts/quarterback';
import { z } from 'zod';
import { JobForgeError } from '../../model/job-forge-error.js';
import { errorOfText } from '../command-outcome.js';
import type { ForeignExecution, Outcome } from '../foreign-execution.js';

const NAME = '^(?!\\.{1,2}$)[^\\u0000/\\\\\\n]+$';

const Input = z.object({
  prompt: z.string().min(1),
  files: z
    .array(
      z.object({
        name: z.string().max(255).regex(new RegExp(NAME)),
        content: z.string(),
        encoding: z.enum(['utf8', 'base64']).default('utf8'),
      }),
    )
    .max(256)
    .default([]),
});

/**
 * What a runner of a Quarterback can do: a task for the one image that it was started with. Containers of other images
 * it cannot be asked for.
 */
export const TASK_CAPABILITY: RunnerCapability = {
  ...{ id: 'quarterback.task', name: 'quarterback.task', version: '1.0.0' },
  description: 'Gives a prompt, and files, to the image that its runner was started with.',
  inputSchema: {
    type: 'object',
    properties: {
      prompt: { type: 'string', minLength: 1 },
      files: {
        type: 'array',
        maxItems: 256,
        items: {
          type: 'object',
          properties: {
            name: { type: 'string', maxLength: 255, pattern: NAME },
            content: { type: 'string' },
            encoding: { enum: ['utf8', 'base64'] },
          },
          required: ['name', 'content'],
          additionalProperties: false,
        },
      },
    },
    required: ['prompt'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { message: { type: ['string', 'null'] } },
    required: ['message'],
  },
  ...{ supportedJobTypes: [], maxConcurrency: 1, timeoutMs: 3_600_000 },
  ...{ resourceRequirements: { gpu: false }, effects: 'writes', announcesWrites: false },
};

/** A task as it is asked for. */
export interface AskedTask {
  readonly assignment: Omit<QuarterbackAssignment, 'orchestrator_url'>;
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * An execution as an assignment.
 * @throws JobForgeError VALIDATION_ERROR for what the runner does not understand
 */
export function toAssignment(
  taskId: string,
  { payload, timeoutMs }: Pick<RunnerExecutionRequest, 'payload' | 'timeoutMs'>,
): AskedTask {
  const read = Input.safeParse(payload);
  const names = read.data?.files.map(({ name }) => name) ?? [];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (!read.success || twice !== undefined)
    throw new JobForgeError('VALIDATION_ERROR', {
      message:
        twice === undefined
          ? `The input is no task: ${read.error?.issues[0]?.path.join('.')} ${read.error?.issues[0]?.message}`
          : `Two files of the task have the name ${JSON.stringify(twice)}.`,
    });
  const files = new Map(
    read.data.files.map(({ name, content, encoding }) => [name, Buffer.from(content, encoding)]),
  );
  const sums = [...files.values()].map((bytes) => createHash('sha256').update(bytes).digest('hex'));
  return {
    assignment: {
      ...{ task_id: taskId, prompt: read.data.prompt, files: names, file_checksums: sums },
      timeout_seconds: Math.max(1, Math.ceil(timeoutMs / 1000)),
    },
    files,
  };
}

function errorOf(message: string): Outcome {
  if (/timed out|timeout/i.test(message) && !/^[A-Z_]+: /.test(message))
    return { type: 'failed', error: envelopeOf('EXECUTION_TIMEOUT', { service: 'jobforge', message }) };
  return { type: 'failed', error: errorOfText(message, 'TASK_FAILED') };
}

/** What was answered last in a task, what it cost, and what it is known as where it ran. */
function factsOf(session: QuarterbackLogSession | undefined): object {
  if (session === undefined) return {};
  const { id, title, prompt_tokens, completion_tokens, cost, messages = [] } = session;
  const facts = {
    answer: messages.findLast(({ role }) => role === 'assistant')?.content,
    sessionId: id,
    title,
    promptTokens: prompt_tokens,
    completionTokens: completion_tokens,
    cost,
  };
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** How a task goes. */
function tellProgress(
  execution: ForeignExecution,
  { message, progress }: Pick<QuarterbackStatusUpdate, 'message' | 'progress'>,
): void {
  if (typeof progress === 'number') execution.progress(progress / 100, message ?? undefined);
  else if (message) execution.note('info', message);
}

function failureOf({ cancelled }: ForeignExecution, message: string): Outcome {
  return cancelled === undefined ? errorOf(message) : { type: 'cancelled', reason: cancelled, message };
}

/** Tells of a task what its runner says of it; true where that was its end. */
export function tellStatus(
  execution: ForeignExecution,
  update: QuarterbackStatusUpdate,
  session: QuarterbackLogSession | undefined,
): boolean {
  const { status, message } = update;
  switch (status) {
    case 'running':
    case 'analyzing':
      tellProgress(execution, update);
      return false;
    case 'success':
      execution.end({ type: 'succeeded', data: { message: message ?? null, ...factsOf(session) } });
      return true;
    case 'cancelled':
      execution.end({
        type: 'cancelled',
        reason: execution.cancelled ?? 'user',
        ...(message && { message }),
      });
      return true;
    case 'error':
      execution.end(failureOf(execution, message || 'the runner said nothing of why'));
      return true;
    case 'pending':
    case 'assigned':
      return false;
  }
}

/** What was said in a task, as lines of its job's log. */
export function tellLogs(execution: ForeignExecution, { messages = [] }: QuarterbackLogSession): void {
  const said = messages.filter(({ content }) => content);
  execution.notes(
    'info',
    said.map(({ role = 'unknown', content }) => `${role}: ${content}`),
  );
}
