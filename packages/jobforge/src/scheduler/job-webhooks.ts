import type { WebhookMessage } from '@controlplane/contracts';
import { signedHeaders } from '../links/dispatch-signature.js';
import type { RecordAccess } from '../store/collection.js';
import { createDeliveries } from '../webhooks/deliveries.js';
import { messageId, type DeliveryRecord } from '../webhooks/delivery-record.js';
import { createWebhookDesk, type WebhookDesk } from '../webhooks/webhook-desk.js';
import { createWebhookPost, type PostOutcome, type WebhookPost } from '../webhooks/webhook-post.js';
import { createWebhookRegistry, type WebhookRegistry } from '../webhooks/webhook-registry.js';
import { iso, toJobResponse } from './job-views.js';
import type { LiveState } from './live-state.js';
import { newId } from './new-id.js';

/** What the webhooks share with the rest. */
export type WebhookState = Pick<
  LiveState,
  'store' | 'commit' | 'clock' | 'random' | 'log' | 'limits' | 'agenda'
>;

/** Records are written with everything else, in its order. */
function recordAccess({ store, commit }: WebhookState): RecordAccess {
  return {
    load: (collection) => store.loadRecords(collection),
    write: (operation) =>
      new Promise((resolve, reject) => {
        commit.attempt(operation, (error, outcome) =>
          error === undefined ? resolve(outcome) : reject(error),
        );
      }),
  };
}

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
  const records = recordAccess(state);
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
