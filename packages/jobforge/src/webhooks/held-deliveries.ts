import type { RecordAccess } from '../store/collection.js';
import { deliveryId, type DeliveryRecord } from './delivery-record.js';

export const DELIVERIES = 'webhook-deliveries';

/** A delivery in memory. */
export interface Held {
  readonly id: string;
  record: DeliveryRecord;
  /** As the store has it. */
  text: string;
}

export function toHeld(record: DeliveryRecord): Held {
  return { id: deliveryId(record), record, text: JSON.stringify(record) };
}

/** Deliveries in memory, by id and by job, and how they are written. */
export interface HeldDeliveries {
  get(id: string): Held | undefined;
  all(): Held[];
  ofJob(jobId: string): Held[];
  /** Takes one in; a later end of the same job takes the place of an earlier one. */
  put(held: Held): void;
  /** Out of memory alone. */
  drop(held: Held): void;
  /** Writes over what was read; false where another JobForge, or a later end of the job, has been faster. */
  change(held: Held, change: Partial<DeliveryRecord>): Promise<boolean>;
  /** Out of the store and of memory. */
  forget(held: Held): Promise<void>;
}

export function createHeldDeliveries(records: RecordAccess): HeldDeliveries {
  const byId = new Map<string, Held>();
  const byJob = new Map<string, Set<Held>>();
  const drop = (held: Held): void => {
    if (byId.get(held.id) === held) byId.delete(held.id);
    const ofJob = byJob.get(held.record.jobId);
    ofJob?.delete(held);
    if (ofJob?.size === 0) byJob.delete(held.record.jobId);
  };

  return {
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    ofJob: (jobId) => [...(byJob.get(jobId) ?? [])],
    drop,
    put(held) {
      const before = byId.get(held.id);
      if (before !== undefined) drop(before);
      byId.set(held.id, held);
      const { jobId } = held.record;
      byJob.set(jobId, (byJob.get(jobId) ?? new Set()).add(held));
    },
    async change(held, change) {
      const record: DeliveryRecord = { ...held.record, ...change };
      const text = JSON.stringify(record);
      const { id, text: replaces } = held;
      const outcome = await records.write({
        ...{ kind: 'put-record', collection: DELIVERIES, id, record: text, replaces },
      });
      if (outcome === 'superseded') return false;
      Object.assign(held, { record, text });
      return true;
    },
    async forget(held) {
      await records.write({ kind: 'remove-record', collection: DELIVERIES, id: held.id });
      drop(held);
    },
  };
}
