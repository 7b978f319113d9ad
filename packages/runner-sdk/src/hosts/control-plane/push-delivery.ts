/**
 * @module
 * The words of this project's own control plane: its client, and the delivery by which it pushes work. Takes
 * the executor by type alone. Imports transport, util and the contract; no other host.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  DurationMs,
  executeForm,
  Identifier,
  isTerminalEvent,
  RunnerExecutionRequest,
  type ErrorDetail,
  type FailedEvent,
  envelopeOf,
} from '@controlplane/contracts';
import type { EventSink, ExecutionRequest, RunOptions, Subscription } from '../../execution/execute.js';
import { replyJson } from '../../transport/http-reply.js';
import { issueDetails, replyError, sayDetails } from './error-reply.js';
import { outcomeReply } from './event-lines.js';
import { streamExecutions, type Entry } from './execution-stream.js';
import { plainExecution, type PlainExecution } from './plain-execution.js';
import { parseJson, readRequestBody, type BodyOptions, type ParsedBody } from './request-body.js';

/** What the push delivery stands on. */
export interface PushDeliveryOptions {
  readonly run: (request: ExecutionRequest, sink: EventSink, options?: RunOptions) => Subscription;
  /** The runner's name. */
  readonly service: string;
  readonly maxBodyBytes: number;
  /** What is wrong with a request's signature, in words; default: nothing is signed. */
  readonly verify?: BodyOptions['verify'];
}

/** Answers `POST /execute`, in its three forms. */
export type PushDelivery = (request: IncomingMessage, response: ServerResponse) => void;

/** A time limit that is not named is the capability's to say, so that it must not be defaulted here. */
const ExecuteBody = RunnerExecutionRequest.extend({ timeoutMs: DurationMs.optional() });

type Parsed = { readonly request: ExecutionRequest } | { readonly details: ErrorDetail[] };

function parseExecution(value: unknown): Parsed {
  const plain = plainExecution(value);
  if (plain !== undefined) return { request: settled(plain) };
  const parsed = ExecuteBody.safeParse(value);
  if (!parsed.success) return { details: issueDetails(parsed.error.issues) };
  return { request: settled(parsed.data) };
}

function settled(data: PlainExecution): ExecutionRequest {
  data.executionId ??= data.jobId;
  data.attempt ??= 1;
  return data as ExecutionRequest;
}

const END_ALONE: RunOptions = { startsAtOnce: true };

/** The id under which a sender will look for the answer to a line that cannot be run. */
function readableId(body: ParsedBody): string | undefined {
  const value = body.code === undefined ? body.value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const { executionId, jobId } = value as { executionId?: unknown; jobId?: unknown };
  const id = Identifier.safeParse(executionId ?? jobId);
  return id.success ? id.data : undefined;
}

function refusedLine(executionId: string, details: ErrorDetail[], service: string): FailedEvent {
  const error = envelopeOf('VALIDATION_ERROR', { service, message: sayDetails(details), details });
  return { type: 'failed', executionId, seq: 0, at: new Date().toISOString(), executionTimeMs: 0, error };
}

/** One line of a batch: an execution to start, an event that says why not, or a problem with no one to tell. */
function toEntry(line: string, service: string): Entry | { readonly details: ErrorDetail[] } {
  const body = parseJson(line);
  const parsed =
    body.code === undefined
      ? parseExecution(body.value)
      : { details: [{ message: 'a line is not valid JSON' }] };
  if ('request' in parsed) return parsed;
  const executionId = readableId(body);
  return executionId === undefined ? parsed : { event: refusedLine(executionId, parsed.details, service) };
}

/** Makes the handler of `POST /execute`; it serves the fast listener and the express router alike. */
export function createPushDelivery(options: PushDeliveryOptions): PushDelivery {
  const { run, service, maxBodyBytes, verify } = options;

  const replyInvalid = (response: ServerResponse, details: ErrorDetail[]): void =>
    replyError(response, 'VALIDATION_ERROR', { service, message: sayDetails(details), details });

  function answerJson(response: ServerResponse, request: ExecutionRequest): void {
    const sink: EventSink = (event, dataJson) => {
      if (!isTerminalEvent(event)) return;
      const { status, json } = outcomeReply(request, event, { dataJson, service });
      replyJson(response, status, json);
    };
    run(request, sink, END_ALONE);
  }

  function answerBatch(response: ServerResponse, text: string): void {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const entries: Entry[] = [];
    for (const line of lines) {
      const entry = toEntry(line, service);
      if ('details' in entry) return replyInvalid(response, entry.details);
      entries.push(entry);
    }
    if (entries.length === 0) return replyInvalid(response, [{ message: 'the batch has no line' }]);
    streamExecutions(response, entries, run);
  }

  return (request, response) => {
    const form = executeForm({
      accept: request.headers.accept,
      contentType: request.headers['content-type'],
    });
    readRequestBody(
      request,
      { maxBytes: maxBodyBytes, as: form === 'batch' ? 'text' : 'json', verify },
      (body) => {
        if (body.code === 'ABORTED') return;
        if (body.code !== undefined)
          return replyError(response, body.code, { service, message: body.message });
        if (form === 'batch') return answerBatch(response, String(body.value));
        const parsed = parseExecution(body.value);
        if ('details' in parsed) return replyInvalid(response, parsed.details);
        if (form === 'json') return answerJson(response, parsed.request);
        streamExecutions(response, [parsed], run);
      },
    );
  };
}
