import { z } from 'zod';
import { RunnerCapability } from './capability.js';
import { DurationMs, Identifier, Timestamp } from './identifiers.js';
import { WireContractVersion } from './version.js';

const HttpUrl = z.url({ protocol: /^https?$/ });

/** Work is sent to the runner by `POST` to its execute URL. */
export const PushDelivery = z.object({
  kind: z.literal('push'),
  /** Default: `execute` beside the health endpoint. */
  executeUrl: HttpUrl.optional(),
});
export type PushDelivery = z.infer<typeof PushDelivery>;

/** The runner dials `GET /runners/connect` and keeps the socket; see `RunnerFrame` and `ServerFrame`. */
export const WebSocketDelivery = z.object({ kind: z.literal('websocket') });
export type WebSocketDelivery = z.infer<typeof WebSocketDelivery>;

/** The runner asks for work by `POST /runners/:id/poll`, again and again. */
export const LongPollDelivery = z.object({ kind: z.literal('long-poll') });
export type LongPollDelivery = z.infer<typeof LongPollDelivery>;

/** How work reaches a runner. */
export const Delivery = z.discriminatedUnion('kind', [PushDelivery, WebSocketDelivery, LongPollDelivery]);
export type Delivery = z.infer<typeof Delivery>;

export const Platform = z.object({ os: z.string(), arch: z.string(), runtime: z.string().optional() });
export type Platform = z.infer<typeof Platform>;

/** What a runner says of itself when it joins. */
export const RunnerRegistrationRequest = z
  .object({
    name: z.string().min(1).max(128),
    version: z.string(),
    contractVersion: WireContractVersion,
    capabilities: z.array(RunnerCapability).max(1000),
    /** Required with push. */
    healthCheckEndpoint: HttpUrl.optional(),
    tags: z.array(z.string()).default([]),
    /** This process: a new one at each start. */
    instanceId: Identifier.optional(),
    /** This machine: kept across restarts. */
    machineId: Identifier.optional(),
    delivery: Delivery.optional(),
    labels: z.record(z.string(), z.string()).optional(),
    platform: Platform.optional(),
    /** Executions that the runner takes at once, over all its capabilities. Default: 10. */
    maxConcurrency: z.number().int().positive().max(100_000).optional(),
    buildId: z.string().max(256).optional(),
    /** See `RunnerFeature`; unknown ones are ignored. */
    features: z.array(z.string()).optional(),
    /**
     * Executions that this process still has: running, or ended and not acknowledged, of an earlier process too
     * where it kept its results. Those that are still its own are asked for again; all others count as lost with
     * the process that had them.
     */
    held: z.array(Identifier).max(100_000).optional(),
  })
  .refine(
    ({ delivery, healthCheckEndpoint }) =>
      (delivery !== undefined && delivery.kind !== 'push') || healthCheckEndpoint !== undefined,
    { path: ['healthCheckEndpoint'], message: 'required where work is pushed to the runner' },
  );
export type RunnerRegistrationRequest = z.infer<typeof RunnerRegistrationRequest>;

/** Sizes that the control plane accepts; the runner checks them before it sends. */
export const Limits = z.object({
  /** Bytes of one request's body. */
  maxBodyBytes: z.number().int().positive(),
  /** Bytes of log text kept for a job. */
  maxLogBytes: z.number().int().positive(),
  /** Bytes of JSON of a result that travel in an event; a larger one is brought by `PUT /executions/:id/result`. */
  maxInlineBytes: z.number().int().positive().optional(),
  /** Bytes of JSON of a result that is brought so. Absent where that is not served. */
  maxPayloadBytes: z.number().int().positive().optional(),
  /** Bytes of one artifact. */
  maxArtifactBytes: z.number().int().positive().optional(),
});
export type Limits = z.infer<typeof Limits>;

/** Proves who calls, for a while; a newer one comes in the replies to heartbeats before it expires. */
export const SessionCredential = z.object({ token: z.string().min(1).max(8192), expiresAt: Timestamp });
export type SessionCredential = z.infer<typeof SessionCredential>;

/** Something of a registration that the control plane took and cannot use as it is. */
export const RegistrationWarning = z.object({
  /** Where it is in the registration: `capabilities`, the index, the member. */
  path: z.array(z.string()).max(16),
  /** The capability that it concerns. */
  capability: Identifier.optional(),
  message: z.string().max(2048),
});
export type RegistrationWarning = z.infer<typeof RegistrationWarning>;

export const RunnerRegistrationResponse = z.object({
  runnerId: Identifier,
  registeredAt: Timestamp,
  heartbeatIntervalMs: DurationMs.default(30_000),
  /** How long a lease lasts without being renewed. */
  leaseMs: DurationMs.optional(),
  limits: Limits.optional(),
  /** The version that both sides speak from now on. */
  contractVersion: WireContractVersion.optional(),
  /** What the runner proves itself with from now on. */
  sessionCredential: SessionCredential.optional(),
  /** Told once, in exchange for an enrollment token: what the runner registers with next time. */
  runnerSecret: z.string().min(1).max(1024).optional(),
  /** Key of the signatures on pushed dispatches, `whsec_` and base64, by the Standard Webhooks scheme. */
  signingKey: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+=*$/)
    .max(256)
    .optional(),
  /** What the control plane cannot use of the registration, such as a schema that cannot be compiled. */
  warnings: z.array(RegistrationWarning).max(100).optional(),
});
export type RunnerRegistrationResponse = z.infer<typeof RunnerRegistrationResponse>;

/** Asks to be forgotten. With an `instanceId`, only while that is the registered process. */
export const RunnerDeregistrationRequest = z.object({
  instanceId: Identifier.optional(),
  reason: z.string().max(256).optional(),
});
export type RunnerDeregistrationRequest = z.infer<typeof RunnerDeregistrationRequest>;

export const RunnerDeregistrationResponse = z.object({ runnerId: Identifier, deregistered: z.boolean() });
export type RunnerDeregistrationResponse = z.infer<typeof RunnerDeregistrationResponse>;
