import { z } from 'zod';

/** Below the control plane's base URL. */
export const QUARTERBACK_PATHS = {
  /** `POST`, the registration token for an id and its API key. */
  register: 'register',
  /** `GET`, what to do next: an assignment, or `null`. */
  pending: 'tasks/pending',
  /** `POST`, how the runner is. */
  heartbeat: 'nodes/heartbeat',
  /** `GET` with the name of a file below it, encoded. */
  files: 'files',
  /** `POST`, how a task is. */
  status: 'status',
  /** `POST`, what was said in a task. */
  logs: 'logs',
  /** `POST`, for whoever has work: not called by a runner. */
  tasks: 'tasks',
} as const;

/** Headers that prove who asks. */
export const QUARTERBACK_HEADERS = {
  /** Of a registration. */
  registrationToken: 'x-registration-token',
  /** Of every other call. */
  apiKey: 'x-api-key',
} as const;

/** `User-Agent` of the runner that the control plane comes with. */
export const QUARTERBACK_USER_AGENT = 'victoria-runner/1.0';

/** Bytes of one body of `POST /logs`. */
export const QUARTERBACK_LOG_BYTES = 10 * 1024 * 1024;

/** What stands before the end of a message whose beginning is left out. */
export const QUARTERBACK_TRUNCATED = '[truncated] ';

/** Seconds that a task may take where the control plane names no limit. */
export const QUARTERBACK_TIMEOUT_SECONDS = 3_600;

/** What the control plane shows of a runner. */
export const QuarterbackNodeStatus = z.enum(['idle', 'busy', 'offline', 'error']);
export type QuarterbackNodeStatus = z.infer<typeof QuarterbackNodeStatus>;

/** Body of a registration. */
export const QuarterbackRegistration = z.object({
  hostname: z.string(),
  /** What tasks are aimed at, by a pattern; the host's name where it is missing. */
  name: z.string().nullable().optional(),
  /** `fedora`, `debian`, `linux`, `macos`, `windows` and others. */
  os_type: z.string(),
});
export type QuarterbackRegistration = z.infer<typeof QuarterbackRegistration>;

/** A runner as the control plane answers it. */
export const QuarterbackNode = z.object({
  id: z.string().min(1),
  hostname: z.string().nullable().optional(),
  name: z.string().nullable().optional(),
  os_type: z.string().nullable().optional(),
  status: QuarterbackNodeStatus.nullable().optional(),
  last_heartbeat: z.string().nullable().optional(),
  current_task_id: z.string().nullable().optional(),
  registered_at: z.string().nullable().optional(),
});
export type QuarterbackNode = z.infer<typeof QuarterbackNode>;

/** What a registration is answered with; the key is shown this once. */
export const QuarterbackRegistered = QuarterbackNode.extend({ api_key: z.string().min(1) });
export type QuarterbackRegistered = z.infer<typeof QuarterbackRegistered>;

/** Body of a heartbeat. */
export const QuarterbackHeartbeat = z.object({
  node_id: z.string().min(1),
  status: QuarterbackNodeStatus,
  /** Null while there is none, as the control plane's own runner sends it, though its description says uuid. */
  current_task_id: z.string().nullable().optional(),
});
export type QuarterbackHeartbeat = z.infer<typeof QuarterbackHeartbeat>;

/** One piece of work. */
export const QuarterbackAssignment = z.object({
  task_id: z.string().min(1),
  prompt: z.string(),
  /** Where files are to be fetched and reports sent, as the control plane sees itself. */
  orchestrator_url: z.string().nullable().optional(),
  /** Seconds; 0 for no limit. */
  timeout_seconds: z.number().int().nonnegative().nullable().optional(),
  /** Names below `files`. */
  files: z.array(z.string()).nullable().optional(),
  /** SHA-256 in hex of each of the files, in their order. */
  file_checksums: z.array(z.string()).nullable().optional(),
});
export type QuarterbackAssignment = z.infer<typeof QuarterbackAssignment>;

/** What `tasks/pending` is answered with: null while there is nothing to do. */
export const QuarterbackPending = QuarterbackAssignment.nullable();
export type QuarterbackPending = z.infer<typeof QuarterbackPending>;

/** Where a task is; the first two and the last are for the control plane alone to say. */
export const QuarterbackTaskStatus = z.enum([
  'pending',
  'assigned',
  'running',
  'analyzing',
  'success',
  'error',
  'cancelled',
]);
export type QuarterbackTaskStatus = z.infer<typeof QuarterbackTaskStatus>;

/** Body of `POST /status`. */
export const QuarterbackStatusUpdate = z.object({
  task_id: z.string().min(1),
  status: QuarterbackTaskStatus,
  message: z.string().nullable().optional(),
  /** Percent. */
  progress: z.number().nullable().optional(),
  crush_session_id: z.string().nullable().optional(),
  /** ISO 8601. */
  timestamp: z.string().nullable().optional(),
});
export type QuarterbackStatusUpdate = z.infer<typeof QuarterbackStatusUpdate>;

/**
 * What `POST /status` may be answered with, where anything is said at all. A task that is `cancelled`
 * there is not wanted any more: the one way in which a runner can learn of it.
 */
export const QuarterbackStatusAnswer = z.object({
  task_id: z.string().nullable().optional(),
  status: QuarterbackTaskStatus,
});
export type QuarterbackStatusAnswer = z.infer<typeof QuarterbackStatusAnswer>;

/** Milliseconds or seconds since 1970, as whoever wrote the log counts. */
const Moment = z.number().int().nullable().optional();

/** Something that was said in a task. */
export const QuarterbackLogMessage = z.object({
  id: z.string().optional(),
  role: z.string().optional(),
  content: z.string().nullable().optional(),
  model: z.string().nullable().optional(),
  provider: z.string().nullable().optional(),
  created_at: Moment,
  finished_at: Moment,
});
export type QuarterbackLogMessage = z.infer<typeof QuarterbackLogMessage>;

/** Everything that was said in a task, and what it cost. */
export const QuarterbackLogSession = z.object({
  id: z.string().optional(),
  title: z.string().nullable().optional(),
  prompt_tokens: z.number().int().nullable().optional(),
  completion_tokens: z.number().int().nullable().optional(),
  cost: z.number().nullable().optional(),
  created_at: Moment,
  updated_at: Moment,
  messages: z.array(QuarterbackLogMessage).optional(),
});
export type QuarterbackLogSession = z.infer<typeof QuarterbackLogSession>;

/** Body of `POST /logs`. */
export const QuarterbackLogs = z.object({ task_id: z.string().min(1), session: QuarterbackLogSession });
export type QuarterbackLogs = z.infer<typeof QuarterbackLogs>;

/** Body of `POST /tasks`, with the API key of an administrator. */
export const QuarterbackTask = z.object({
  prompt: z.string(),
  /** A pattern of names in which `*` stands for any text. */
  target_node_name: z.string().nullable().optional(),
});
export type QuarterbackTask = z.infer<typeof QuarterbackTask>;
