import type { WebhookDelivery, WebhookEvent } from '@controlplane/contracts';

/** An end of a job that is to be told, as the store keeps it. The job itself is read when it is told. */
export interface DeliveryRecord {
  readonly jobId: string;
  /** The registered webhook; absent where it is the job's own. */
  readonly webhookId?: string;
  readonly url: string;
  /** The registered webhook whose key signs; absent for JobForge's own. */
  readonly key?: string;
  readonly event: WebhookEvent;
  /** Tells this end of the job from one that it had before it was retried. */
  readonly endId: string;
  readonly endedAt: number;
  readonly attempts: number;
  readonly nextAt: number;
  readonly state: 'waiting' | 'failed';
  readonly error?: string;
}

/** One a job and a webhook: a later end of the same job takes the place of an earlier one. */
export function deliveryId({ jobId, webhookId = '' }: Pick<DeliveryRecord, 'jobId' | 'webhookId'>): string {
  return `${jobId}\n${webhookId}`;
}

/** The same for each attempt, so that who is told twice can know it. */
export function messageId({ jobId, endId, webhookId }: DeliveryRecord): string {
  return ['msg', jobId, endId, ...(webhookId === undefined ? [] : [webhookId])].join('_');
}

/** A delivery as clients are shown it. */
export function toWebhookDelivery({
  webhookId,
  url,
  event,
  state,
  attempts,
  nextAt,
  error,
}: DeliveryRecord): WebhookDelivery {
  const shown: WebhookDelivery = { url, event, state, attempts };
  if (webhookId !== undefined) shown.webhookId = webhookId;
  if (state === 'waiting') shown.nextAttemptAt = new Date(nextAt).toISOString();
  if (error !== undefined) shown.error = error;
  return shown;
}
