import {
  CapabilityOffer,
  ENDPOINTS,
  ErrorEnvelope,
  JobBatchEntry,
  JobEvent,
  JobList,
  JobResponse,
  JobWhy,
  RunnerMetadata,
} from '@controlplane/contracts';
import { z } from 'zod';
import { DoctorReport } from './doctor-check.js';
import type { Terminal } from './terminal.js';

/** One line of `job submit --follow --json`. The last line is `ended`, or `interrupted` where the watching was. */
export const FollowLine = z.discriminatedUnion('event', [
  z.object({ event: z.literal('submitted'), job: JobResponse }),
  z.object({ event: z.literal('job-event'), data: JobEvent }),
  z.object({ event: z.literal('ended'), job: JobResponse }),
  z.object({ event: z.literal('interrupted'), jobId: z.string() }),
]);
export type FollowLine = z.infer<typeof FollowLine>;

/** One line of `dev --json` and `serve --json`. The first is `ready`. */
export const ServingLine = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('ready'),
    url: z.url(),
    data: z.string().nullable(),
    version: z.string(),
    /** Where the admin token stands, where it was made by JobForge. */
    adminTokenFile: z.string().optional(),
  }),
  z.object({
    event: z.literal('log'),
    severity: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string(),
    fields: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({ event: z.literal('stopping'), running: z.number().int() }),
  z.object({ event: z.literal('stopped'), handedBack: z.number().int() }),
]);
export type ServingLine = z.infer<typeof ServingLine>;

/** What any command prints with `--json` where it fails, instead of all else. */
export const ErrorOutput = z.object({ success: z.literal(false), error: ErrorEnvelope });

/** What each command prints with `--json`: one document on one line, or a line each where it says so. */
export const JSON_OUTPUT = {
  /** Lines. */
  dev: ServingLine,
  /** Lines. */
  serve: ServingLine,
  'job submit': ENDPOINTS.submitJob.response,
  /** Lines. */
  'job submit --follow': FollowLine,
  'job list': JobList,
  'job show': JobResponse,
  'job why': JobWhy,
  'job artifacts': ENDPOINTS.listArtifacts.response,
  'job download': z.object({ path: z.string() }),
  'job cancel': JobResponse,
  'job retry': z.object({ jobs: z.array(JobBatchEntry) }),
  /** Lines: the events of the types `job.log` and `job.notification`. */
  'job logs': JobEvent,
  'runner list': RunnerMetadata.array(),
  'runner show': RunnerMetadata,
  'runner drain': RunnerMetadata,
  'runner disable': RunnerMetadata,
  'runner enable': RunnerMetadata,
  'runner verify': ENDPOINTS.verifyRunner.response,
  'runner delete': ENDPOINTS.deleteRunner.response,
  'runner revoke': ENDPOINTS.revokeRunner.response,
  'runner rotate-secret': ENDPOINTS.rotateRunnerSecret.response,
  'token create': ENDPOINTS.createToken.response,
  'token list': ENDPOINTS.listTokens.response,
  'token revoke': ENDPOINTS.revokeToken.response,
  'webhook add': ENDPOINTS.createWebhook.response,
  'webhook list': ENDPOINTS.listWebhooks.response,
  'webhook remove': ENDPOINTS.deleteWebhook.response,
  'webhook key': ENDPOINTS.webhookKey.response,
  'capability list': CapabilityOffer.array(),
  'secret set': ENDPOINTS.setSecret.response,
  'secret list': ENDPOINTS.listSecrets.response,
  'secret delete': ENDPOINTS.deleteSecret.response,
  'audit list': ENDPOINTS.listAudit.response,
  doctor: DoctorReport,
} as const;

type Shapes = typeof JSON_OUTPUT;

/** Prints what a command has to say for programs, held to its documented shape. */
export function printJson<Command extends keyof Shapes>(
  terminal: Terminal,
  command: Command,
  value: z.input<Shapes[Command]>,
): void {
  terminal.out(JSON.stringify(JSON_OUTPUT[command].parse(value)));
}
