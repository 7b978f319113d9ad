import { z } from 'zod';
import type { Endpoint } from './endpoint.js';
import { CreatedWebhook, Webhook, WebhookKey, WebhookRegistration, WebhookRemoval } from './webhook.js';

const served = { server: 'jobforge', status: 200, auth: 'admin' } as const;

/** Whom the ends of jobs are told. */
export const WEBHOOK_ENDPOINTS = {
  createWebhook: {
    ...served,
    method: 'POST',
    path: '/webhooks',
    request: WebhookRegistration,
    response: CreatedWebhook,
    status: 201,
    summary: 'Register a webhook; its key is told once',
  },
  listWebhooks: {
    ...served,
    method: 'GET',
    path: '/webhooks',
    response: z.array(Webhook),
    summary: 'Every registered webhook',
  },
  webhookKey: {
    ...served,
    method: 'GET',
    path: '/webhooks/key',
    response: WebhookKey,
    summary: 'The key that signs what is told of jobs whose webhook names none',
  },
  deleteWebhook: {
    ...served,
    method: 'DELETE',
    path: '/webhooks/:id',
    response: WebhookRemoval,
    summary: 'Remove a webhook, with what it has not been told yet',
  },
} as const satisfies Record<string, Endpoint>;
