import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { RecordAccess } from '../store/collection.js';
import type { PutRecord } from '../store/store.js';
import { afterPost, type DeliveryStep } from './delivery-plan.js';
import { deliveryId, type DeliveryRecord } from './delivery-record.js';
import { createLanes } from './delivery-lanes.js';
import type { PostOutcome } from './webhook-post.js';

/** What is still to be told: on disk until it is, or until it is given up. */
export interface Deliveries {
  /** The operation that keeps a delivery, for the transaction in which its job ends. */
  operationFor(record: DeliveryRecord): PutRecord;
  /** Begins to tell what has been stored. */
  begin(record: DeliveryRecord): void;
  ofJob(jobId: string): DeliveryRecord[];
  /** Drops what one webhook has not been told. */
  drop(webhookId: string): Promise<void>;
  /** Takes up what the store knows and nobody here does. */
  reload(): Promise<void>;
  stop(): void;
}

export interface DeliveriesOptions {
  readonly records: RecordAccess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly maxAttempts: number;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
  /** Calls back at a time. */
  readonly at: (time: number, due: () => void) => void;
  /** Tells; undefined where there is nothing to be told any more. */
  readonly tell: (record: DeliveryRecord) => Promise<PostOutcome | undefined>;
}

export const DELIVERIES = 'webhook-deliveries';

/** Deliveries that were given up and are still shown with their jobs. */
const MAX_FAILED = 1_000;
/** The store could not be written: asked again after this time. */
const STORE_RETRY_MS = 5_000;

interface Held {
  readonly id: string;
  record: DeliveryRecord;
  /** As the store has it. */
  text: string;
}

/** Deliveries in memory, by id and by job. */
function createIndex(): {
  readonly byId: Map<string, Held>;
  put(held: Held): void;
  remove(held: Held): void;
  ofJob(jobId: string): Held[];
} {
  const byId = new Map<string, Held>();
  const byJob = new Map<string, Set<Held>>();
  const remove = (held: Held): void => {
    if (byId.get(held.id) === held) byId.delete(held.id);
    const ofJob = byJob.get(held.record.jobId);
    ofJob?.delete(held);
    if (ofJob?.size === 0) byJob.delete(held.record.jobId);
  };
  return {
    byId,
    remove,
    put(held) {
      const before = byId.get(held.id);
      if (before !== undefined) remove(before);
      byId.set(held.id, held);
      const { jobId } = held.record;
      const ofJob = byJob.get(jobId) ?? new Set();
      byJob.set(jobId, ofJob.add(held));
    },
    ofJob: (jobId) => [...(byJob.get(jobId) ?? [])],
  };
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { records, clock, log, random, maxAttempts } = options;
  const index = createIndex();
  const lanes = createLanes();
  let stopped = false;

  const toHeld = (record: DeliveryRecord): Held => ({
    id: deliveryId(record),
    record,
    text: JSON.stringify(record),
  });
  const isCurrent = (held: Held): boolean => !stopped && index.byId.get(held.id) === held;

  /** Writes over what was read; false where another JobForge, or a later end of the job, has been faster. */
  const write = async (held: Held, change: Partial<DeliveryRecord>): Promise<boolean> => {
    const record: DeliveryRecord = { ...held.record, ...change };
    const text = JSON.stringify(record);
    const { id } = held;
    const outcome = await records.write({
      ...{ kind: 'put-record', collection: DELIVERIES, id, record: text, replaces: held.text },
    });
    if (outcome === 'superseded') return false;
    Object.assign(held, { record, text });
    return true;
  };
  const forget = async (held: Held): Promise<void> => {
    await records.write({ kind: 'remove-record', collection: DELIVERIES, id: held.id });
    index.remove(held);
  };
  const trimFailed = async (): Promise<void> => {
    const failed = [...index.byId.values()].filter(({ record }) => record.state === 'failed');
    for (const held of failed.slice(0, Math.max(0, failed.length - MAX_FAILED))) await forget(held);
  };
  const settle = async (held: Held, step: DeliveryStep): Promise<void> => {
    if (step.kind === 'done') return forget(held);
    const { jobId, url, attempts } = held.record;
    if (step.kind === 'again') {
      if (await write(held, { nextAt: clock.now() + step.delayMs, error: step.why })) schedule(held);
      return;
    }
    log('warn', 'a webhook is given up', { jobId, url: new URL(url).host, attempts, problem: step.why });
    await write(held, { state: 'failed', error: step.why });
    await trimFailed();
  };
  const attempt = async (held: Held): Promise<void> => {
    if (!isCurrent(held)) return;
    const attempts = held.record.attempts + 1;
    // Claimed for as long as it may take: whoever shares the store does not tell it too.
    const claimed = await write(held, { attempts, nextAt: clock.now() + 2 * options.timeoutMs });
    if (!claimed) return index.remove(held);
    const outcome = await options.tell(held.record);
    if (!isCurrent(held)) return;
    if (outcome === undefined) return forget(held);
    await settle(held, afterPost(outcome, { attempts, maxAttempts, random: random() }));
  };
  const run = async (held: Held): Promise<void> => {
    try {
      await attempt(held);
    } catch (error) {
      if (!isCurrent(held)) return;
      log('error', 'a webhook could not be told', { jobId: held.record.jobId, problem: String(error) });
      options.at(clock.now() + STORE_RETRY_MS, () => enter(held));
    }
  };
  const enter = (held: Held): void => {
    if (isCurrent(held)) lanes.enter(new URL(held.record.url).host, () => run(held));
  };
  const schedule = (held: Held): void => {
    if (held.record.state === 'failed') return;
    if (held.record.nextAt <= clock.now()) enter(held);
    else options.at(held.record.nextAt, () => enter(held));
  };
  const adopt = (held: Held): void => {
    index.put(held);
    schedule(held);
  };

  return {
    operationFor: (record) => {
      const { id, text } = toHeld(record);
      return { kind: 'put-record', collection: DELIVERIES, id, record: text };
    },
    begin: (record) => adopt(toHeld(record)),
    ofJob: (jobId) => index.ofJob(jobId).map(({ record }) => record),
    async drop(webhookId) {
      const held = [...index.byId.values()].filter(({ record }) => record.webhookId === webhookId);
      await Promise.all(held.map(forget));
    },
    async reload() {
      for (const { id, record } of await records.load(DELIVERIES)) {
        if (index.byId.has(id)) continue;
        adopt({ id, record: JSON.parse(record) as DeliveryRecord, text: record });
      }
    },
    stop: () => void (stopped = true),
  };
}
