import { z } from 'zod';

/** The versions that these messages are of, and the oldest that each side takes. A mismatch is a warning there. */
export const AUTOMN_VERSIONS = {
  host: '0.2.16',
  runner: '0.2.16',
  /** What a runner of this version asks for. */
  minimumHost: '0.2.0',
  /** What a host of this version asks for. */
  minimumRunner: '0.2.15',
} as const;

/** `POST`, below the base URL of the control plane: registration and heartbeat are one call. */
export const automnRegisterPath = (runnerId: string): string =>
  `api/settings/runner-hosts/${encodeURIComponent(runnerId)}/register`;

/** What a runner serves. */
export const AUTOMN_PATHS = {
  page: '/',
  status: '/status',
  reregister: '/ui/reregister',
  register: '/ui/register',
  reset: '/internal/reset',
  packages: '/api/packages/status',
  /** Where jobs are posted, unless the runner's `endpoint` names another path. */
  run: '/api/run',
} as const;

/** Headers of a job. */
export const AUTOMN_HEADERS = {
  runnerId: 'x-automn-runner-id',
  runnerName: 'x-automn-runner-name',
  runnerSecret: 'x-automn-runner-secret',
} as const;

/** Content type of the answer to a job: one JSON object a line. */
export const AUTOMN_LINES = 'application/jsonl; charset=utf-8';

/** Characters that a runner's secret has at least. */
export const AUTOMN_SECRET_LENGTH = 12;

/** Bytes of a job that the control plane lets through. */
export const AUTOMN_BODY_BYTES = 16 * 1024 * 1024;

/** What a job may take where the runner names no `timeoutMs`: milliseconds without a byte of the answer. */
export const AUTOMN_SILENCE_MS = 60_000;

/** Milliseconds after the last heartbeat in which a runner counts as healthy. */
export const AUTOMN_FRESH_MS = 120_000;

/** Exit code of a script whose packages could not be installed. */
export const AUTOMN_DEPENDENCY_EXIT_CODE = 90;

const count = z.number().int().positive();

/** Body of the registration, which is the heartbeat too. */
export const AutomnRegistration = z.object({
  secret: z.string(),
  /** Where jobs are posted, whole; `http` or `https`. */
  endpoint: z.string(),
  statusMessage: z.string().optional(),
  /** Jobs at once; default: no limit. */
  maxConcurrency: count.optional(),
  /** Milliseconds without a byte of the answer after which a job is given up. */
  timeoutMs: count.optional(),
  version: z.string().optional(),
  minimumHostVersion: z.string().optional(),
  os: z.string().optional(),
  /** The processor's architecture as Node.js names it. */
  platform: z.string().optional(),
  /** The same as the operating system names it. */
  arch: z.string().optional(),
  /** Seconds since the machine was started. */
  uptime: z.number().nonnegative().optional(),
  /** Versions by language: `node`, `python`, `powershell`, `shell`. */
  runtimes: z.record(z.string(), z.string()).optional(),
});
export type AutomnRegistration = z.infer<typeof AutomnRegistration>;

const text = z.string().nullish();
const time = z.union([z.string(), z.number()]).nullish();
const flag = z.boolean().optional();

/** A runner as the control plane knows it. */
export const AutomnRunnerHost = z.looseObject({
  id: z.union([z.string(), z.number()]),
  name: text,
  /** `pending`, `healthy` or `disabled`. */
  status: text,
  statusMessage: text,
  endpoint: text,
  lastSeenAt: time,
  maxConcurrency: count.nullish(),
  timeoutMs: count.nullish(),
  runnerVersion: text,
  runnerOs: text,
  runnerPlatform: text,
  runnerArch: text,
  runnerUptime: z.number().nullish(),
  runnerRuntimes: z.record(z.string(), z.string()).nullish(),
  minimumHostVersion: text,
  hostVersion: text,
  minimumRunnerVersion: text,
  adminOnly: flag,
  createdAt: time,
  updatedAt: time,
  disabledAt: time,
  isHealthy: flag,
  isStale: flag,
  isCompatible: flag,
  runnerOutdated: flag,
  hostOutdatedForRunner: flag,
});
export type AutomnRunnerHost = z.infer<typeof AutomnRunnerHost>;

/** What a registration is answered with, with 200. */
export const AutomnRegistered = z.object({
  runnerHost: AutomnRunnerHost.optional(),
  registered: z.boolean(),
  hostVersion: z.string().optional(),
  minimumRunnerVersion: z.string().optional(),
});
export type AutomnRegistered = z.infer<typeof AutomnRegistered>;

/** What either side answers when it does not do what was asked. */
export const AutomnRefused = z.object({
  error: z.string(),
  /** `runner_disabled` with 403, `invalid_secret` with 401. */
  code: z.string().optional(),
});
export type AutomnRefused = z.infer<typeof AutomnRefused>;

/** One variable of a script. */
export const AutomnVariable = z.looseObject({
  envName: z.string().nullish(),
  value: z.unknown().optional(),
  /** `script`, `category`, `global` or `job`. */
  scope: z.string().nullish(),
});
export type AutomnVariable = z.infer<typeof AutomnVariable>;

/** A script as the control plane keeps it: its whole record, of which a runner needs these. */
export const AutomnScript = z.looseObject({
  id: z.union([z.string(), z.number()]).nullish(),
  name: text,
  /** `node`, `python`, `powershell` or `shell`. */
  language: text,
  code: text,
  /** Seconds; 0 for no limit. */
  timeout: z.coerce.number().catch(0),
  preassignedRunId: text,
  variables: z.array(AutomnVariable).nullish(),
  jobContext: z.record(z.string(), z.unknown()).nullish(),
});
export type AutomnScript = z.infer<typeof AutomnScript>;

/** A job. */
export const AutomnRun = z.object({
  /** Default: one that the runner makes up. */
  runId: text,
  script: AutomnScript,
  /** What the script is given, any JSON. */
  reqBody: z.unknown().optional(),
});
export type AutomnRun = z.infer<typeof AutomnRun>;

/** What a script logged. */
export const AutomnLog = z.object({
  message: z.string(),
  level: z.enum(['info', 'warn', 'error', 'success', 'debug']),
  type: z.string().default('general'),
  context: z.record(z.string(), z.unknown()).default({}),
  order: z.number().int().optional(),
  timestamp: z.string().optional(),
});
export type AutomnLog = z.infer<typeof AutomnLog>;

/** Whom a script wanted to know what; 50 of a run at most. */
export const AutomnNotification = z.object({
  order: z.number().int(),
  audience: z.string().nullable(),
  message: z.string().max(2_000),
  level: z.enum(['info', 'warn', 'error']),
  /** As the script said it. */
  raw: z.unknown().optional(),
  timestamp: z.string(),
});
export type AutomnNotification = z.infer<typeof AutomnNotification>;

/** How a job ended. */
export const AutomnResult = z.object({
  runId: z.string(),
  stdout: z.string(),
  stderr: z.string(),
  /** Exit code; 1 where a signal ended the script, or it was not run at all. */
  code: z.number().int(),
  /** Milliseconds. */
  duration: z.number(),
  returnData: z.unknown().optional(),
  automnLogs: z.array(AutomnLog),
  automnNotifications: z.array(AutomnNotification).max(50),
  /** `reqBody`. */
  input: z.unknown().optional(),
  /** With {@link AUTOMN_DEPENDENCY_EXIT_CODE}: what whoever called the script is told. */
  clientMessage: z.string().optional(),
  errorCode: z.string().optional(),
});
export type AutomnResult = z.infer<typeof AutomnResult>;

/** One line of the answer to a job. Lines of other types are passed over; an answer without a result is a failure. */
export const AutomnLine = z.discriminatedUnion('type', [
  /** A piece of output as it came: several lines of it, or half of one. */
  z.object({ type: z.literal('log'), line: z.string() }),
  /** How far the script is, or that it still runs: Automn passes it over, and waits on. */
  z.object({ type: z.literal('progress'), fraction: z.number().optional(), message: z.string().optional() }),
  z.object({ type: z.literal('result'), data: AutomnResult }),
]);
export type AutomnLine = z.infer<typeof AutomnLine>;

const nullable = z.string().nullable();

/** What a runner says of its registration. */
export const AutomnRegistrationState = z.object({
  runnerId: nullable,
  hostUrl: nullable,
  endpointUrl: nullable,
  secretConfigured: z.boolean(),
  secretSource: z.enum(['env', 'state']),
  /** Whether a registration has succeeded: then nothing can be entered any more. */
  locked: z.boolean(),
  registeredAt: nullable,
  lastRegistrationAttempt: nullable,
  lastRegistrationError: nullable,
  lastRegistrationStatus: z.enum(['ok', 'error', 'network-error']).nullable(),
  /** What was answered. */
  lastRegistrationResponse: z.unknown().optional(),
});
export type AutomnRegistrationState = z.infer<typeof AutomnRegistrationState>;

/** Answer of `GET /status`. */
export const AutomnStatus = z.object({
  runner: AutomnRegistrationState,
  config: z.object({
    endpointUrl: nullable,
    hostUrl: nullable,
    runnerId: nullable,
    /** Milliseconds. */
    heartbeatInterval: z.number(),
    scriptsDir: nullable,
    workdirDir: nullable,
    secretManagedByEnv: z.boolean(),
  }),
});
export type AutomnStatus = z.infer<typeof AutomnStatus>;

/** Body of `POST /internal/reset`: without a secret, the one that there is is forgotten. */
export const AutomnReset = z.object({ token: z.string(), secret: z.string().optional() });
export type AutomnReset = z.infer<typeof AutomnReset>;

/** Body of `POST /api/packages/status`. */
export const AutomnPackagesQuestion = z.object({
  scriptId: text,
  packages: z.array(z.unknown()).default([]),
  directoryKey: text,
  installMissing: z.boolean().default(true),
});
export type AutomnPackagesQuestion = z.infer<typeof AutomnPackagesQuestion>;
