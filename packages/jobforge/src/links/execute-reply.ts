import {
  envelopeOf,
  ErrorEnvelope,
  ExecutionEvent,
  RunnerExecutionResponse,
  type ErrorCode,
} from '@controlplane/contracts';
import { z } from 'zod';
import { plainEvent } from './plain-event.js';
import type { LinkFailure } from './runner-link.js';

/** What a runner answered to an execution, as an event, or why it is none. */
export type Reply = { readonly event: ExecutionEvent } | { readonly failure: LinkFailure };

/** An error as loosely as a hand-written runner sends it. */
const LooseError = z.looseObject({ code: z.string().optional(), message: z.string().optional() });
const LooseReply = z.looseObject({ success: z.boolean(), error: z.unknown().optional() });

/** A failure that says what a runner did against the contract. */
export function protocolFailure(message: string): LinkFailure {
  return { kind: 'protocol', error: runnerError('RUNNER_PROTOCOL_ERROR', message) };
}

function runnerError(code: ErrorCode, message: string): ErrorEnvelope {
  return envelopeOf(code, { service: 'jobforge', message });
}

function toEnvelope(value: unknown): ErrorEnvelope {
  const exact = ErrorEnvelope.safeParse(value);
  if (exact.success) return exact.data;
  const loose = LooseError.safeParse(value);
  const said = loose.success ? (loose.data.message ?? loose.data.code) : undefined;
  return runnerError('EXECUTION_FAILED', said ?? 'The runner reported a failure without an error.');
}

/** What a proxy answers whose runner did not: whether that has begun is not known. 503 is read as "not now". */
const GATEWAY_STATUSES: ReadonlySet<number> = new Set([502, 504]);

const REFUSALS = ['RUNNER_BUSY', 'RUNNER_DRAINING', 'INSTANCE_MISMATCH', 'SIGNATURE_INVALID'] as const;

function refusal(
  status: number,
  error: ErrorEnvelope | undefined,
  retryAfter: string | undefined,
): LinkFailure | undefined {
  const seconds = error?.retryAfter ?? Number(retryAfter);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  const code = REFUSALS.find((known) => known === error?.code);
  if (code !== undefined) return { kind: 'refused', code, retryAfterMs };
  const unsaid = error === undefined && (status === 429 || status === 503);
  return unsaid ? { kind: 'refused', code: 'RUNNER_BUSY', retryAfterMs } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer of the JSON form, or of a streaming form that was refused as a whole. */
export interface HttpReply {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
  readonly executionId: string;
  readonly at: string;
}

function excerpt(body: string): string {
  return body.length > 200 ? `${body.slice(0, 200)}…` : body;
}

/** Reads an answer of the JSON form as the terminal event of its execution. */
export function readReply(reply: HttpReply): Reply {
  const value = parseJson(reply.body);
  const loose = LooseReply.safeParse(value);
  const error = loose.success && !loose.data.success ? toEnvelope(loose.data.error) : undefined;
  const refused = refusal(reply.status, error, reply.retryAfter);
  if (refused !== undefined) return { failure: refused };
  if (reply.status >= 300 && reply.status < 400) {
    return { failure: protocolFailure(`The runner answered ${reply.status}; redirects are not followed.`) };
  }
  const position = { executionId: reply.executionId, seq: 1, at: reply.at };
  if (error !== undefined)
    return { event: { ...position, type: 'failed', error, executionTimeMs: timeOf(value) } };
  const response = RunnerExecutionResponse.safeParse(value);
  if (!response.success && GATEWAY_STATUSES.has(reply.status)) {
    const message = `something in front of it answered ${reply.status}`;
    return { failure: { kind: 'broken', message, away: true } };
  }
  if (!response.success || reply.status !== 200) {
    return {
      failure: protocolFailure(
        `The runner answered ${reply.status} with ${excerpt(reply.body) || 'an empty body'}`,
      ),
    };
  }
  const { data, executionTimeMs } = response.data;
  return { event: { ...position, type: 'succeeded', data, executionTimeMs } };
}

function timeOf(value: unknown): number {
  const response = RunnerExecutionResponse.partial().safeParse(value);
  return response.success ? (response.data.executionTimeMs ?? 0) : 0;
}

/** Reads one line of a streamed reply. */
export function readLine(line: string): { readonly executionId: string | undefined; readonly reply: Reply } {
  const value = parseJson(line);
  const plain = plainEvent(value);
  if (plain !== undefined) return { executionId: plain.executionId, reply: { event: plain } };
  const event = ExecutionEvent.safeParse(value);
  if (event.success) return { executionId: event.data.executionId, reply: { event: event.data } };
  const named = z.looseObject({ executionId: z.string() }).safeParse(value);
  return {
    executionId: named.success ? named.data.executionId : undefined,
    reply: { failure: protocolFailure(`The runner sent a line that is no event: ${excerpt(line)}`) },
  };
}
