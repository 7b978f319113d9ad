import type {
  ErrorEnvelope,
  JobEvent,
  JobEventType,
  JsonObject,
  JobResult,
  WebhookEvent,
} from '@controlplane/contracts';
import { JOBFORGE_VERSION } from './version.js';

/** Where an event stands in its job's history. */
export interface EventPosition {
  /** 0 before the first attempt. */
  readonly attempt: number;
  readonly seq: number;
}

/** `job.created` and `job.queued` come before the first attempt, at `0.0` and `0.1`. */
export const CREATED: EventPosition = { attempt: 0, seq: 0 };
export const QUEUED: EventPosition = { attempt: 0, seq: 1 };

export interface EventContent {
  readonly type: JobEventType;
  readonly at: number;
  readonly data?: JsonObject | undefined;
}

/** Makes an event as clients are sent it. */
export function toJobEvent(jobId: string, { attempt, seq }: EventPosition, content: EventContent): JobEvent {
  const event: JobEvent = {
    id: `${attempt}.${seq}`,
    type: content.type,
    jobId,
    timestamp: new Date(content.at).toISOString(),
    metadata: { service: 'jobforge', version: JOBFORGE_VERSION },
  };
  if (content.data !== undefined) event.data = content.data;
  return event;
}

/** Reads an event id; undefined where it is none. */
export function parseEventId(id: string): EventPosition | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(id);
  return match ? { attempt: Number(match[1]), seq: Number(match[2]) } : undefined;
}

/** Whether the left one comes after the right one. */
export function isAfter(left: EventPosition, right: EventPosition): boolean {
  return left.attempt === right.attempt ? left.seq > right.seq : left.attempt > right.attempt;
}

/** The envelope that an end or an attempt is stored with, which is JSON. */
export function parsedError(json: string | undefined): ErrorEnvelope | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as ErrorEnvelope);
}

/** The event with which a job ends. Its data is the job's result. */
export function endingType(
  status: 'completed' | 'failed' | 'cancelled',
  error: ErrorEnvelope | undefined,
): WebhookEvent {
  if (status === 'failed') return error?.code === 'JOB_EXPIRED' ? 'job.expired' : 'job.failed';
  return status === 'completed' ? 'job.completed' : 'job.cancelled';
}

/** A result as the data of an event. */
export function resultData(result: JobResult): JsonObject {
  return { ...result };
}
