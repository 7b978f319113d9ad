import { z } from 'zod';
import { Identifier, Timestamp } from './identifiers.js';

/** An end of a job that is told. */
export const WebhookEvent = z.enum(['job.completed', 'job.failed', 'job.cancelled', 'job.expired']);
export type WebhookEvent = z.infer<typeof WebhookEvent>;

const WebhookUrl = z.url({ protocol: /^https?$/ }).max(2048);
/** Which ends are told. Default: all. */
const Events = z.array(WebhookEvent).min(1).max(WebhookEvent.options.length).optional();

/** Whom a job's end is told. */
export const JobWebhook = z.object({
  url: WebhookUrl,
  events: Events,
  /** The registered webhook whose key signs. Default: JobForge's own key, `GET /webhooks/key`. */
  key: Identifier.optional(),
});
export type JobWebhook = z.infer<typeof JobWebhook>;

/** The body of `POST /webhooks`: whom the ends of all jobs are told, or of those of some types. */
export const WebhookRegistration = z.object({
  id: Identifier.optional(),
  url: WebhookUrl,
  events: Events,
  /** Job types and capabilities. Default: all. */
  types: z.array(z.string().min(1).max(128)).min(1).max(100).optional(),
});
export type WebhookRegistration = z.infer<typeof WebhookRegistration>;

/** A webhook as it is registered. */
export const Webhook = WebhookRegistration.extend({ id: Identifier, createdAt: Timestamp });
export type Webhook = z.infer<typeof Webhook>;

const SigningKey = z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/);

/** A webhook with its key, which is told once: `whsec_` and base64, by the Standard Webhooks scheme. */
export const CreatedWebhook = Webhook.extend({ signingKey: SigningKey });
export type CreatedWebhook = z.infer<typeof CreatedWebhook>;

/** The key that signs what is told of jobs whose webhook names none. */
export const WebhookKey = z.object({ signingKey: SigningKey });
export type WebhookKey = z.infer<typeof WebhookKey>;

export const WebhookRemoval = z.object({ id: Identifier, removed: z.literal(true) });
export type WebhookRemoval = z.infer<typeof WebhookRemoval>;

/** An end of a job that has not been told yet, or could not be. */
export const WebhookDelivery = z.object({
  /** The registered webhook; absent where it is the job's own. */
  webhookId: Identifier.optional(),
  url: z.string(),
  event: WebhookEvent,
  /** `waiting` for its next attempt; `failed` for good. */
  state: z.enum(['waiting', 'failed']),
  attempts: z.number().int().nonnegative(),
  nextAttemptAt: Timestamp.optional(),
  /** Why the last attempt failed. */
  error: z.string().optional(),
});
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;
