import { z } from 'zod';
import { DurationMs, Identifier, JsonObject } from './identifiers.js';
import { RateLimit } from './placement.js';
import { SecretName } from './secrets.js';
import { WireContractVersion } from './version.js';

/**
 * What running a capability twice would do: `none` reads only, `idempotent` may be repeated, `writes`
 * must not be repeated once it has begun to write. Decides what happens to a job whose runner is lost.
 */
export const Effects = z.enum(['none', 'idempotent', 'writes']);
export type Effects = z.infer<typeof Effects>;

/** What a runner can do, as it publishes it. */
export const RunnerCapability = z.object({
  id: Identifier,
  name: z.string(),
  version: z.string(),
  description: z.string(),
  /** JSON Schema of the payload. */
  inputSchema: JsonObject,
  /** JSON Schema of the result's data. */
  outputSchema: JsonObject,
  /** Job types that this capability serves beside its own id. */
  supportedJobTypes: z.array(z.string()),
  /** Executions of this capability that may run at once. */
  maxConcurrency: z.number().int().positive().default(1),
  timeoutMs: DurationMs.default(30_000),
  resourceRequirements: z
    .object({ cpu: z.string().optional(), memory: z.string().optional(), gpu: z.boolean().default(false) })
    .prefault({}),
  effects: Effects.default('idempotent'),
  /**
   * With effects `writes`: each execution says when it begins to write, by an event of type `writing`. Until
   * then it may be offered again; where nothing is announced, it is taken to write from its start. Once it writes, it is
   * not tried again after its runner was lost or it was cut short (by its time limit, a crash, once announced also by a
   * shutdown); what its handler throws is retried as the error says.
   */
  announcesWrites: z.boolean().default(false),
  /** Names of the secrets that each of its executions is given. */
  secrets: z.array(SecretName).max(64).optional(),
  /**
   * Executions of this capability that may begin in a time, over all runners of a control plane; of several that are
   * declared the strictest counts. Default: no limit.
   */
  rateLimit: RateLimit.optional(),
});
export type RunnerCapability = z.infer<typeof RunnerCapability>;

/** A package of capabilities, described without running it. */
export const ModuleManifest = z.object({
  id: Identifier,
  name: z.string(),
  version: z.string(),
  description: z.string(),
  entryPoint: z.string(),
  contractVersion: WireContractVersion,
  capabilities: z.array(RunnerCapability),
  dependencies: z.array(z.string()).default([]),
  configSchema: JsonObject.optional(),
  defaultConfig: JsonObject.default({}),
});
export type ModuleManifest = z.infer<typeof ModuleManifest>;

/**
 * What a runner can do beyond answering `POST /execute` with JSON: `ndjson` streams every event,
 * `batch` takes many executions in one request, `cancel` serves the cancel endpoint, `signed` checks the
 * signature of every dispatch with the `signingKey` that its registration returned, `files` fetches the files of its
 * executions, and payloads that travel as files.
 */
export const RunnerFeature = z.enum(['ndjson', 'batch', 'cancel', 'signed', 'files']);
export type RunnerFeature = z.infer<typeof RunnerFeature>;

/** A runner's published description: the reply of `GET /manifest`. */
export const RunnerManifest = z.object({
  name: z.string(),
  version: z.string(),
  contractVersion: WireContractVersion,
  capabilities: z.array(RunnerCapability),
  maxConcurrency: z.number().int().positive().optional(),
  features: z.array(z.string()).default([]),
});
export type RunnerManifest = z.infer<typeof RunnerManifest>;

/** Whether a capability serves a job that asks for `wanted` by capability id or by job type. */
export function servesJob(
  capability: Pick<RunnerCapability, 'id' | 'supportedJobTypes'>,
  wanted: { readonly payloadType: string; readonly jobType: string },
): boolean {
  return capability.id === wanted.payloadType || capability.supportedJobTypes.includes(wanted.jobType);
}
