import type { WebhookMessage } from '@controlplane/contracts';
import { signedHeaders } from '../links/dispatch-signature.js';
import { createDeliveries } from '../webhooks/deliveries.js';
import { messageId, type DeliveryRecord } from '../webhooks/delivery-record.js';
import { createWebhookDesk, type WebhookDesk } from '../webhooks/webhook-desk.js';
import { createWebhookPost, type PostOutcome, type WebhookPost } from '../webhooks/webhook-post.js';
import { createWebhookRegistry, type WebhookRegistry } from '../webhooks/webhook-registry.js';
import { iso, toJobResponse } from './job-views.js';
import type { LiveState } from './live-state.js';
import { newId } from './new-id.js';
import { recordAccess } from './record-access.js';

/** What the webhooks share with the rest. */
export type WebhookState = Pick<
  LiveState,
  'store' | 'commit' | 'clock' | 'random' | 'log' | 'limits' | 'agenda'
>;

/** Tells an end of a job, unless the job is gone or has been put back into the queue meanwhile. */
async function tell(
  { state, registry, post }: { state: WebhookState; registry: WebhookRegistry; post: WebhookPost },
  record: DeliveryRecord,
): Promise<PostOutcome | undefined> {
  const { jobId, url, event, endedAt } = record;
  const key = registry.keyOf(record.key);
  if (key === undefined)
    return { kind: 'failed', message: `the webhook "${record.key}" whose key signs is gone` };
  const stored = await state.store.loadJob(jobId);
  if (stored?.end?.endedAt !== endedAt) return undefined;
  const message: WebhookMessage = {
    type: event,
    timestamp: iso(endedAt),
    data: toJobResponse(stored, undefined),
  };
  const body = JSON.stringify(message);
  const headers = signedHeaders([key], { id: messageId(record), now: state.clock.now(), body });
  return post.send(url, { body, headers });
}

/** Puts together what tells others how jobs ended. */
export function createJobWebhooks(state: WebhookState, allowPrivate: boolean): WebhookDesk {
  const { clock, random, log, limits, agenda } = state;
  const { webhookTimeoutMs: timeoutMs, webhookAttempts: maxAttempts } = limits;
  const records = recordAccess(state.store, state.commit);
  const registry = createWebhookRegistry({ records, clock, allowPrivate, newId });
  const post = createWebhookPost({ allowPrivate, timeoutMs });
  const deliveries = createDeliveries({
    ...{ records, clock, random, log, maxAttempts, timeoutMs },
    at: (time, due) => agenda.add(time, due),
    tell: (record) => tell({ state, registry, post }, record),
  });
  const desk = createWebhookDesk(registry, deliveries);
  return {
    ...desk,
    stop() {
      desk.stop();
      post.close();
    },
  };
}
