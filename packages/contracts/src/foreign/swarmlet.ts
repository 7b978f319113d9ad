/**
 * @module
 * The messages of control planes of other kinds, as they are on their wires: one file for each, used by the runner that
 * works for them and by whoever stands in for them. Their names, their spelling, their units. Imports zod alone.
 */
import { z } from 'zod';

/** Below the control plane's base URL. */
export const SWARMLET_PATHS = {
  /** WebSocket that a runner dials. */
  socket: 'api/runners/ws',
  /** `POST`, a one-time enrollment token for an identity and its secret. */
  register: 'api/runners/register',
} as const;

/** Bytes of output of one job, both streams together, that the control plane keeps. */
export const SWARMLET_OUTPUT_BYTES = 50 * 1024;

/** What stands in the place of output beyond the limit, as Swarmlet's own runner words it. */
export const SWARMLET_TRUNCATION = '\n... [output truncated due to size limit] ...\n';

/** Close codes of the socket. */
export const SWARMLET_CLOSE = {
  /** The hello was not taken, or what it rested on is not valid any more; the reason says which. */
  policy: 1008,
  /** The control plane failed, not the runner. */
  internal: 1011,
} as const;

/** What a runner says of its machine. */
export const SwarmletMetadata = z.object({
  hostname: z.string(),
  platform: z.string(),
  arch: z.string(),
  runner_version: z.string(),
  docker_available: z.boolean().optional(),
  heartbeat_interval_ms: z.number().int().positive().optional(),
  capabilities: z.array(z.string()).optional(),
  install_mode: z.string().optional(),
  auto_update_policy: z.string().optional(),
  install_layout_version: z.number().int().optional(),
});
export type SwarmletMetadata = z.infer<typeof SwarmletMetadata>;

/** The first frame of a runner; id or name tells which it is. */
export const SwarmletHello = z.object({
  type: z.literal('hello'),
  runner_id: z.number().int().nullable().optional(),
  runner_name: z.string().nullable().optional(),
  secret: z.string(),
  metadata: SwarmletMetadata,
});
export type SwarmletHello = z.infer<typeof SwarmletHello>;

export const SwarmletHeartbeat = z.object({ type: z.literal('heartbeat') });
export type SwarmletHeartbeat = z.infer<typeof SwarmletHeartbeat>;

/** A piece of output. */
export const SwarmletExecChunk = z.object({
  type: z.literal('exec_chunk'),
  job_id: z.string().min(1),
  stream: z.enum(['stdout', 'stderr']),
  data: z.string(),
});
export type SwarmletExecChunk = z.infer<typeof SwarmletExecChunk>;

/** The command ended by itself, or was ended by a signal: then 128 and the signal's number. */
export const SwarmletExecDone = z.object({
  type: z.literal('exec_done'),
  job_id: z.string().min(1),
  exit_code: z.number().int(),
  duration_ms: z.number().int().nonnegative(),
});
export type SwarmletExecDone = z.infer<typeof SwarmletExecDone>;

/** The command was not run, or not to its end. */
export const SwarmletExecError = z.object({
  type: z.literal('exec_error'),
  job_id: z.string().min(1),
  error: z.string(),
});
export type SwarmletExecError = z.infer<typeof SwarmletExecError>;

/** Everything that a runner says over the socket. */
export const SwarmletRunnerFrame = z.discriminatedUnion('type', [
  SwarmletHello,
  SwarmletHeartbeat,
  SwarmletExecChunk,
  SwarmletExecDone,
  SwarmletExecError,
]);
export type SwarmletRunnerFrame = z.infer<typeof SwarmletRunnerFrame>;

/** Asks for a line of shell to be run. */
export const SwarmletExecRequest = z.object({
  type: z.literal('exec_request'),
  job_id: z.string().min(1),
  command: z.string(),
  /** Seconds; 0 for no limit. */
  timeout_secs: z.number().int().nonnegative().default(0),
});
export type SwarmletExecRequest = z.infer<typeof SwarmletExecRequest>;

export const SwarmletExecCancel = z.object({ type: z.literal('exec_cancel'), job_id: z.string().min(1) });
export type SwarmletExecCancel = z.infer<typeof SwarmletExecCancel>;

/** Everything that the control plane says over the socket. */
export const SwarmletServerFrame = z.discriminatedUnion('type', [SwarmletExecRequest, SwarmletExecCancel]);
export type SwarmletServerFrame = z.infer<typeof SwarmletServerFrame>;

/** Body of the enrollment. */
export const SwarmletRegisterRequest = z.object({
  enroll_token: z.string(),
  name: z.string().optional(),
  availability_policy: z.enum(['always_on', 'on_demand', 'ephemeral']).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  capabilities: z.array(z.string()).optional(),
  metadata: SwarmletMetadata.partial().optional(),
});
export type SwarmletRegisterRequest = z.infer<typeof SwarmletRegisterRequest>;

/** What an enrollment is answered with; the secret is shown this once. */
export const SwarmletRegisterResponse = z.object({
  runner_id: z.number().int(),
  runner_secret: z.string().min(1),
  name: z.string(),
  runner_capabilities_csv: z.string().optional(),
});
export type SwarmletRegisterResponse = z.infer<typeof SwarmletRegisterResponse>;
