import { z } from 'zod';
import { RunnerCapability } from './capability.js';
import { RunnerMetadata } from './heartbeat.js';

/** A capability of one version, with the runners that offer it. */
export const CapabilityOffer = RunnerCapability.extend({
  runners: z.array(z.object({ id: z.string(), name: z.string(), status: RunnerMetadata.shape.status })),
});
export type CapabilityOffer = z.infer<typeof CapabilityOffer>;
