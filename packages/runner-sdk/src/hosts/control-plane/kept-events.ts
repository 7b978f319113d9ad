import { ExecutionEvent, Identifier } from '@controlplane/contracts';
import { z } from 'zod';
import type { Outbox } from '../outbox.js';

/** The end of one execution, with what was not acknowledged before it. */
export const KeptEvents = z.object({
  executionId: Identifier,
  leaseToken: z.string().optional(),
  events: z.array(ExecutionEvent).min(1),
});
export type KeptEvents = z.infer<typeof KeptEvents>;

/** What is kept of executions for a control plane that speaks the contract. */
export type EventOutbox = Outbox<KeptEvents>;
