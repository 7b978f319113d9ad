import type { ExecutionEvent, TerminalEvent } from '@controlplane/contracts';
import { envelopeOf, httpStatusOf, type ErrorEnvelope } from '@controlplane/contracts';
import type { ExecutionRequest } from '../../execution/execute.js';

/** Ids and timestamps need no escaping: their alphabets hold no quote, backslash or control character. */

const runnerOf = (runnerId: string | undefined): string =>
  runnerId === undefined ? '' : `,"runnerId":"${runnerId}"`;

/** An event as one line of NDJSON. */
export function eventLine(event: ExecutionEvent, dataJson: string | undefined): string {
  if (event.type === 'accepted') {
    return `{"type":"accepted","executionId":"${event.executionId}","seq":${event.seq},"at":"${event.at}"}\n`;
  }
  if (event.type !== 'succeeded' || dataJson === undefined) return `${JSON.stringify(event)}\n`;
  const { executionId, seq, at, executionTimeMs, runnerId, droppedEvents, droppedBytes } = event;
  const position = `"executionId":"${executionId}","seq":${seq},"at":"${at}","executionTimeMs":${executionTimeMs}`;
  const dropped = droppedEvents === undefined ? '' : `,"droppedEvents":${droppedEvents}`;
  const bytes = droppedBytes === undefined ? '' : `,"droppedBytes":${droppedBytes}`;
  return `{"type":"succeeded",${position}${runnerOf(runnerId)}${dropped}${bytes},"data":${dataJson}}\n`;
}

function toError(event: Exclude<TerminalEvent, { type: 'succeeded' }>, service: string): ErrorEnvelope {
  if (event.type === 'failed') return event.error;
  return envelopeOf('EXECUTION_CANCELLED', {
    service,
    message: event.message ?? `cancelled: ${event.reason}`,
  });
}

/**
 * The JSON reply of `POST /execute`.
 * @returns status and body, a `RunnerExecutionResponse`
 */
export function outcomeReply(
  request: ExecutionRequest,
  event: TerminalEvent,
  options: { readonly dataJson: string | undefined; readonly service: string },
): { readonly status: number; readonly json: string } {
  const ids = `"executionTimeMs":${event.executionTimeMs},"executionId":"${request.executionId}"${runnerOf(event.runnerId)}`;
  if (event.type === 'succeeded') {
    const data = options.dataJson ?? JSON.stringify(event.data) ?? 'null';
    return { status: 200, json: `{"jobId":"${request.jobId}","success":true,"data":${data},${ids}}` };
  }
  const error = toError(event, options.service);
  const json = `{"jobId":"${request.jobId}","success":false,"error":${JSON.stringify(error)},${ids}}`;
  return { status: httpStatusOf(error.code), json };
}
