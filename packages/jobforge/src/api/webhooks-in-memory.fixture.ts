import type { CreatedWebhook } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import type { WebhookOperations } from '../model/webhook-operations.js';

const signingKey = `whsec_${Buffer.alloc(32).toString('base64')}`;

/** Whom the ends of jobs are told, over a plain map. */
export function webhooksInMemory(): WebhookOperations {
  const webhooks = new Map<string, CreatedWebhook>();
  return {
    async createWebhook({ id = `webhook-${webhooks.size + 1}`, ...registration }) {
      const webhook = { id, ...registration, createdAt: new Date().toISOString(), signingKey };
      webhooks.set(id, webhook);
      return webhook;
    },
    listWebhooks: async () => [...webhooks.values()].map(({ signingKey: _key, ...webhook }) => webhook),
    webhookKey: async () => ({ signingKey }),
    async deleteWebhook(id) {
      if (!webhooks.delete(id)) throw new JobForgeError('WEBHOOK_NOT_FOUND');
      return { id, removed: true };
    },
  };
}
