import {
  createErrorEnvelope,
  envelopeOf,
  httpStatusOf,
  isErrorCode,
  type ErrorEnvelope,
  type ExecutionEvent,
} from '@controlplane/contracts';
import type { Heard } from './foreign-plane.js';

const SERVICE = 'bridge';

/** Only code and message are carried: the rest is what the catalogue says of the code. */
function envelope({ code, message }: Extract<Heard, { type: 'failed' }>): ErrorEnvelope {
  if (isErrorCode(code)) return envelopeOf(code, { service: SERVICE, message });
  const known = { category: 'RUNTIME_ERROR', severity: 'error', retryable: false } as const;
  return createErrorEnvelope({ ...known, service: SERVICE, code, message });
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Writes what is heard of one order as the events of an execution. */
export function createEventWriter(executionId: string): (heard: Heard) => readonly ExecutionEvent[] {
  const startedAt = performance.now();
  let seq = 0;
  const head = (): Pick<ExecutionEvent, 'executionId' | 'seq' | 'at'> => ({
    executionId,
    seq: seq++,
    at: new Date().toISOString(),
  });
  return (heard) => {
    const executionTimeMs = performance.now() - startedAt;
    switch (heard.type) {
      case 'begun':
        return [{ ...head(), type: 'accepted' }];
      case 'said':
        return heard.text
          .replace(/\n$/, '')
          .split('\n')
          .map((message) => ({ ...head(), type: 'log', level: 'info', message }));
      case 'succeeded': {
        const { tookMs = executionTimeMs, output } = heard;
        return [{ ...head(), type: 'succeeded', data: parsed(output), executionTimeMs: tookMs }];
      }
      case 'failed':
        return [{ ...head(), type: 'failed', error: envelope(heard), executionTimeMs }];
      case 'cancelled':
        return [{ ...head(), type: 'cancelled', reason: 'user', executionTimeMs }];
    }
  };
}

/** The JSON reply of an execution that has ended. */
export function replyOf(
  jobId: string,
  end: ExecutionEvent,
): { readonly status: number; readonly body: object } {
  if (end.type === 'succeeded')
    return {
      status: 200,
      body: { jobId, success: true, data: end.data, executionTimeMs: end.executionTimeMs },
    };
  const error = end.type === 'failed' ? end.error : envelopeOf('EXECUTION_CANCELLED', { service: SERVICE });
  const status = isErrorCode(error.code) ? httpStatusOf(error.code) : 500;
  return { status, body: { jobId, success: false, error, executionTimeMs: 0 } };
}
