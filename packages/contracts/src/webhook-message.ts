import { z } from 'zod';
import { Timestamp } from './identifiers.js';
import { JobResponse } from './job.js';
import { WebhookEvent } from './webhook.js';

/** What a webhook is sent, by the Standard Webhooks scheme: the job as `GET /jobs/:id` shows it. */
export const WebhookMessage = z.object({ type: WebhookEvent, timestamp: Timestamp, data: JobResponse });
export type WebhookMessage = z.infer<typeof WebhookMessage>;
