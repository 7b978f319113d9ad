import { z } from 'zod';
import { Timestamp } from './identifiers.js';

export const HealthStatus = z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']);
export type HealthStatus = z.infer<typeof HealthStatus>;

/** One dependency that a health check looked at. */
export const HealthCheckItem = z.object({
  name: z.string(),
  status: HealthStatus,
  responseTimeMs: z.number().nonnegative(),
  message: z.string().optional(),
});
export type HealthCheckItem = z.infer<typeof HealthCheckItem>;

/** The reply of `GET /health`, complete: what this project's own services send. */
export const HealthCheck = z.object({
  service: z.string(),
  status: HealthStatus,
  timestamp: Timestamp,
  version: z.string(),
  /** Seconds since the process started. */
  uptime: z.number().nonnegative(),
  checks: z.array(HealthCheckItem).default([]),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

/** A runner's health as a control plane reads it: only `status` is required. */
export const RunnerHealth = z.looseObject({ status: HealthStatus });
export type RunnerHealth = z.infer<typeof RunnerHealth>;

/** The reply of `GET /livez` and `GET /readyz`; 503 with reasons when not ok. */
export const Probe = z.object({ ok: z.boolean(), reasons: z.array(z.string()).default([]) });
export type Probe = z.infer<typeof Probe>;

export const ServiceMetadata = z.object({
  name: z.string(),
  version: z.string(),
  contractVersion: z.string(),
  environment: z.enum(['development', 'staging', 'production']).default('development'),
  startTime: Timestamp,
  features: z.array(z.string()).default([]),
});
export type ServiceMetadata = z.infer<typeof ServiceMetadata>;
