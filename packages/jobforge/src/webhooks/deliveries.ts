import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { RecordAccess } from '../store/collection.js';
import type { PutRecord } from '../store/store.js';
import { afterPost, type DeliveryStep } from './delivery-plan.js';
import { createLanes, type Lanes } from './delivery-lanes.js';
import type { DeliveryRecord } from './delivery-record.js';
import {
  createHeldDeliveries,
  DELIVERIES,
  toHeld,
  type Held,
  type HeldDeliveries,
} from './held-deliveries.js';
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

/** Deliveries that were given up and are still shown with their jobs. */
const MAX_FAILED = 1_000;
/** The store could not be written: asked again after this time. */
const STORE_RETRY_MS = 5_000;

interface Office extends DeliveriesOptions {
  readonly held: HeldDeliveries;
  readonly lanes: Lanes;
  stopped: boolean;
}

const isCurrent = ({ held, stopped }: Office, one: Held): boolean => !stopped && held.get(one.id) === one;

/** Of those that were given up, only the last are kept. */
async function trimFailed({ held }: Office): Promise<void> {
  const failed = held.all().filter(({ record }) => record.state === 'failed');
  for (const one of failed.slice(0, Math.max(0, failed.length - MAX_FAILED))) await held.forget(one);
}

async function settle(office: Office, one: Held, step: DeliveryStep): Promise<void> {
  const { held, clock, log } = office;
  if (step.kind === 'done') return held.forget(one);
  if (step.kind === 'again') {
    if (await held.change(one, { nextAt: clock.now() + step.delayMs, error: step.why }))
      schedule(office, one);
    return;
  }
  const { jobId, url, attempts } = one.record;
  log('warn', 'a webhook is given up', { jobId, host: new URL(url).host, attempts, problem: step.why });
  await held.change(one, { state: 'failed', error: step.why });
  await trimFailed(office);
}

async function attempt(office: Office, one: Held): Promise<void> {
  const { held, clock, timeoutMs, maxAttempts, random } = office;
  if (!isCurrent(office, one)) return;
  const attempts = one.record.attempts + 1;
  // Claimed for as long as it may take: whoever shares the store does not tell it too.
  if (!(await held.change(one, { attempts, nextAt: clock.now() + 2 * timeoutMs }))) return held.drop(one);
  const outcome = await office.tell(one.record);
  if (!isCurrent(office, one)) return;
  if (outcome === undefined) return held.forget(one);
  await settle(office, one, afterPost(outcome, { attempts, maxAttempts, random: random() }));
}

async function run(office: Office, one: Held): Promise<void> {
  try {
    await attempt(office, one);
  } catch (error) {
    if (!isCurrent(office, one)) return;
    const { clock, log } = office;
    log('error', 'a webhook could not be told', { jobId: one.record.jobId, problem: String(error) });
    office.at(clock.now() + STORE_RETRY_MS, () => enter(office, one));
  }
}

function enter(office: Office, one: Held): void {
  if (isCurrent(office, one)) office.lanes.enter(new URL(one.record.url).host, () => run(office, one));
}

function schedule(office: Office, one: Held): void {
  const { state, nextAt } = one.record;
  if (state === 'failed') return;
  if (nextAt <= office.clock.now()) enter(office, one);
  else office.at(nextAt, () => enter(office, one));
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { records } = options;
  const held = createHeldDeliveries(records);
  const office: Office = { ...options, held, lanes: createLanes(), stopped: false };
  const adopt = (one: Held): void => {
    held.put(one);
    schedule(office, one);
  };

  return {
    operationFor: (record) => {
      const { id, text } = toHeld(record);
      return { kind: 'put-record', collection: DELIVERIES, id, record: text };
    },
    begin: (record) => adopt(toHeld(record)),
    ofJob: (jobId) => held.ofJob(jobId).map(({ record }) => record),
    async drop(webhookId) {
      const dropped = held.all().filter(({ record }) => record.webhookId === webhookId);
      await Promise.all(dropped.map(held.forget));
    },
    async reload() {
      for (const { id, record } of await records.load(DELIVERIES))
        if (held.get(id) === undefined)
          adopt({ id, record: JSON.parse(record) as DeliveryRecord, text: record });
    },
    stop: () => void (office.stopped = true),
  };
}
