import {
  redactText,
  type JobNotification,
  type JsonObject,
  type LogEvent,
  type LogNotification,
} from '@controlplane/contracts';
import { toJobEvent } from '../model/job-event.js';
import { redactFields } from '../model/redact-fields.js';
import type { StoredEvent } from '../store/store.js';
import { tellLater } from './event-order.js';
import { iso } from './job-views.js';
import type { Execution, LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';

/** Notifications that are kept of a job, and characters of one and of its fields; what is beyond that is a line of its log. */
const MAX_NOTIFICATIONS = 50;
const MAX_LENGTH = 2_000;

/** A log line that is meant for people. */
export type Notification = LogEvent & { readonly notification: LogNotification };

/** Whether a log line is meant for people, and there is room for it. */
export function isNotification({ notifications = [] }: LiveJob, event: LogEvent): event is Notification {
  const { notification, message, fields } = event;
  if (notification === undefined || notifications.length >= MAX_NOTIFICATIONS) return false;
  return message.length <= MAX_LENGTH && (fields === undefined || isShort(fields));
}

const isShort = (fields: JsonObject): boolean => JSON.stringify(fields).length <= MAX_LENGTH;

/** A notification as the store has it. */
export function toNotification({ attempt, eventSeq, at, data }: StoredEvent): JobNotification {
  const said = JSON.parse(data) as Pick<JobNotification, 'level' | 'message' | 'audience'>;
  const { level, message, audience } = said;
  // Its fields stand in the log.
  const place = { id: `${attempt}.${eventSeq}`, at: iso(at) };
  return { ...place, level, message, ...(audience !== undefined && { audience }) };
}

/** Those of a job, in order; undefined where there are none. */
export function notificationsOf(events: readonly StoredEvent[]): JobNotification[] | undefined {
  const found = events.filter(({ type }) => type === 'notification').map(toNotification);
  return found.length === 0 ? undefined : found;
}

/** Keeps what an execution says to people, and passes it on once it is on disk. */
export function keepNotification(state: LiveState, { job, attempt }: Execution, event: Notification): void {
  const { seq: eventSeq, level, notification, fields } = event;
  const data: JsonObject = { level, message: redactText(event.message) };
  if (fields !== undefined) data['fields'] = redactFields(fields);
  if (notification.audience !== undefined) data['audience'] = redactText(notification.audience);
  const at = state.clock.now();
  const stored = { attempt, eventSeq, at, type: 'notification', data: JSON.stringify(data) } as const;
  (job.notifications ??= []).push(toNotification(stored));
  const tell = tellLater(job, () =>
    state.hub.emit(job.id, () =>
      toJobEvent(job.id, { attempt, seq: eventSeq }, { type: 'job.notification', at, data }),
    ),
  );
  state.commit.keep({ kind: 'add-event', seq: job.seq, ...stored }, tell, tell);
}
