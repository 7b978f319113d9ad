import type { CreatedWebhook, JobWebhook, Webhook, WebhookRegistration } from '@controlplane/contracts';
import { newSigningKey } from '../links/dispatch-signature.js';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { createCollection, type RecordAccess } from '../store/collection.js';
import { destinationProblem } from './webhook-destination.js';

/** Who is to be told, and with which keys. */
export interface WebhookRegistry {
  create(registration: WebhookRegistration): Promise<CreatedWebhook>;
  list(): Webhook[];
  remove(id: string): Promise<void>;
  /** JobForge's own key. */
  ownKey(): string;
  /** The key of a registered webhook, or JobForge's own; undefined where the webhook is gone. */
  keyOf(id: string | undefined): string | undefined;
  /** Why a job cannot be told of as it asks; undefined where it can. */
  refusalOf(webhook: JobWebhook | undefined): JobForgeError | undefined;
  /** Those that want to hear of every job, or of some types. */
  registered(): Iterable<Webhook>;
  readonly size: number;
  reload(): Promise<void>;
}

export interface WebhookRegistryOptions {
  readonly records: RecordAccess;
  readonly clock: Clock;
  /** Whether messages may go to this machine and to private networks. */
  readonly allowPrivate: boolean;
  readonly newId: () => string;
}

type StoredWebhook = CreatedWebhook;

const OWN = 'own';

function shown({ signingKey: _signingKey, ...webhook }: StoredWebhook): Webhook {
  return webhook;
}

function invalid(path: string[], message: string): JobForgeError {
  return new JobForgeError('VALIDATION_ERROR', {
    message: `The webhook cannot be used: ${message}.`,
    details: [{ path, message }],
  });
}

function notFound(id: string): JobForgeError {
  return new JobForgeError('WEBHOOK_NOT_FOUND', { message: `There is no webhook "${id}".` });
}

export function createWebhookRegistry({
  records,
  clock,
  allowPrivate,
  newId,
}: WebhookRegistryOptions): WebhookRegistry {
  const webhooks = createCollection<StoredWebhook>(records, 'webhooks');
  const keys = createCollection<{ readonly signingKey: string }>(records, 'webhook-keys');

  return {
    async create({ id = newId(), ...registration }) {
      const problem = destinationProblem(registration.url, allowPrivate);
      if (problem !== undefined) throw invalid(['url'], problem);
      const createdAt = new Date(clock.now()).toISOString();
      const webhook: StoredWebhook = { id, ...registration, createdAt, signingKey: newSigningKey() };
      return webhooks.change(id, (current) => {
        if (current === undefined) return webhook;
        throw new JobForgeError('WEBHOOK_CONFLICT', { message: `There is a webhook "${id}" already.` });
      });
    },
    list: () => [...webhooks.entries()].map(([, webhook]) => shown(webhook)),
    async remove(id) {
      if (webhooks.get(id) === undefined) throw notFound(id);
      await webhooks.remove(id);
    },
    ownKey: () => keys.get(OWN)?.signingKey ?? '',
    keyOf: (id) => (id === undefined ? keys.get(OWN) : webhooks.get(id))?.signingKey,
    refusalOf(webhook) {
      if (webhook === undefined) return undefined;
      const problem = destinationProblem(webhook.url, allowPrivate);
      if (problem !== undefined) return invalid(['webhook', 'url'], problem);
      const { key } = webhook;
      if (key === undefined || webhooks.get(key) !== undefined) return undefined;
      return invalid(['webhook', 'key'], `there is no webhook "${key}" whose key could sign`);
    },
    *registered() {
      for (const [, webhook] of webhooks.entries()) yield shown(webhook);
    },
    get size() {
      return webhooks.size;
    },
    async reload() {
      await Promise.all([webhooks.reload(), keys.reload()]);
      if (keys.get(OWN) === undefined)
        await keys.change(OWN, (current) => current ?? { signingKey: newSigningKey() });
    },
  };
}
