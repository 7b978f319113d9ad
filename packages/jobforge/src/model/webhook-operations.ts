import type {
  CreatedWebhook,
  Webhook,
  WebhookKey,
  WebhookRegistration,
  WebhookRemoval,
} from '@controlplane/contracts';

/** Whom the ends of jobs are told. */
export interface WebhookOperations {
  /** Refuses with WEBHOOK_CONFLICT where the id is taken, and with VALIDATION_ERROR where nothing may be sent to the URL. */
  createWebhook(registration: WebhookRegistration, actor?: string): Promise<CreatedWebhook>;
  listWebhooks(): Promise<Webhook[]>;
  webhookKey(): Promise<WebhookKey>;
  /** Refuses with WEBHOOK_NOT_FOUND. */
  deleteWebhook(id: string, actor?: string): Promise<WebhookRemoval>;
}
