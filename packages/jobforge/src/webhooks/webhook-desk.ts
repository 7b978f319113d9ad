import type { JobWebhook, Webhook, WebhookDelivery, WebhookEvent } from '@controlplane/contracts';
import type { JobForgeError } from '../model/job-forge-error.js';
import type { WebhookOperations } from '../model/webhook-operations.js';
import type { PutRecord } from '../store/store.js';
import type { Deliveries } from './deliveries.js';
import { toWebhookDelivery, type DeliveryRecord } from './delivery-record.js';
import type { WebhookRegistry } from './webhook-registry.js';

/** A job that ends, as far as webhooks are about it. */
export interface EndingJob {
  readonly id: string;
  readonly type: string;
  readonly capability: string;
  readonly webhook: JobWebhook | undefined;
}

/** How it ends. */
export interface TellableEnd {
  readonly event: WebhookEvent;
  /** Tells this end from another of the same job. */
  readonly endId: string;
  readonly endedAt: number;
}

/** What a job's end leaves to be told. */
export interface Announcement {
  /** To be stored before the end is. */
  readonly operations: readonly PutRecord[];
  /** The end is stored. */
  begin(): void;
}

/** Webhooks as the rest of JobForge sees them. */
export interface WebhookDesk {
  readonly operations: WebhookOperations;
  refusalOf(webhook: JobWebhook | undefined): JobForgeError | undefined;
  /** Undefined where nobody is to be told, as of most jobs. */
  announce(job: EndingJob, end: () => TellableEnd): Announcement | undefined;
  /** What has not been told of a job, or could not be. */
  ofJob(jobId: string): WebhookDelivery[];
  /** Reads everything anew: at the start. */
  reload(): Promise<void>;
  /** Reads anew who is to be told: another JobForge on the same store may have changed it. */
  reloadRegistered(): Promise<void>;
  /** Takes up what is still to be told and nobody here knows of. */
  takeUp(): Promise<void>;
  stop(): void;
}

function wants(
  { events, types }: Pick<Webhook, 'events' | 'types'>,
  job: EndingJob,
  event: WebhookEvent,
): boolean {
  if (events !== undefined && !events.includes(event)) return false;
  return types === undefined || types.includes(job.type) || types.includes(job.capability);
}

/** Whom a job's end is told: its own webhook, and those that are registered. */
function recordsFor(registry: WebhookRegistry, job: EndingJob, end: TellableEnd): DeliveryRecord[] {
  const base: Omit<DeliveryRecord, 'url'> = {
    jobId: job.id,
    event: end.event,
    endId: end.endId,
    endedAt: end.endedAt,
    attempts: 0,
    nextAt: end.endedAt,
    state: 'waiting',
  };
  const records: DeliveryRecord[] = [];
  const { webhook } = job;
  if (webhook !== undefined && wants({ events: webhook.events }, job, end.event)) {
    const { url, key } = webhook;
    records.push({ ...base, url, ...(key !== undefined && { key }) });
  }
  for (const { id, url, ...filter } of registry.registered())
    if (wants(filter, job, end.event)) records.push({ ...base, webhookId: id, url, key: id });
  return records;
}

export function createWebhookDesk(registry: WebhookRegistry, deliveries: Deliveries): WebhookDesk {
  return {
    operations: {
      createWebhook: registry.create,
      listWebhooks: async () => registry.list(),
      webhookKey: async () => ({ signingKey: registry.ownKey() }),
      async deleteWebhook(id) {
        await registry.remove(id);
        await deliveries.drop(id);
        return { id, removed: true };
      },
    },
    refusalOf: registry.refusalOf,
    announce(job, end) {
      if (job.webhook === undefined && registry.size === 0) return undefined;
      const records = recordsFor(registry, job, end());
      return {
        operations: records.map(deliveries.operationFor),
        begin: () => records.forEach(deliveries.begin),
      };
    },
    ofJob: (jobId) => deliveries.ofJob(jobId).map(toWebhookDelivery),
    async reload() {
      await registry.reload();
      await deliveries.reload();
    },
    reloadRegistered: registry.reload,
    takeUp: deliveries.reload,
    stop: deliveries.stop,
  };
}
