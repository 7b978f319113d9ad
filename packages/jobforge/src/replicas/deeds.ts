import { isJobForgeError } from '../model/job-forge-error.js';
import { reading } from '../scheduler/store-reads.js';
import { adoptJobs } from './adoption.js';
import type { Question } from './replica-calls.js';
import type { ReplicaDesk } from './replica-desk.js';

function refusesWith(error: unknown, code: string): boolean {
  return isJobForgeError(error) && error.envelope.code === code;
}

/** A job between two replicas is nobody's for a moment. */
const TRIES = 40;
const BETWEEN_MS = 50;

/** Takes a job where it is nobody's; false where it has ended. */
function claimed(desk: ReplicaDesk, id: string): Promise<boolean> {
  return desk.inTurn(async () => {
    const job = await reading(desk.store().claimJob(id));
    if (job !== undefined) await adoptJobs(desk.recovery, [job]);
    return job !== undefined;
  });
}

/** Has whoever has a job do something with it; takes it where it is nobody's. */
export async function withOwner<T>(desk: ReplicaDesk, id: string, { name, args, here }: Deed<T>): Promise<T> {
  const { state } = desk.recovery;
  for (let tries = 1; tries < TRIES; tries += 1) {
    if (state.jobs.has(id)) return here();
    const owner = await reading(desk.store().ownerOf(id));
    if (owner === undefined) {
      if (!(await claimed(desk, id))) return here();
    } else if (owner !== desk.store().id) return (await desk.calls.ask(owner, { name, args })) as T;
    else await new Promise<void>((resolve) => void state.clock.after(BETWEEN_MS, resolve));
  }
  return here();
}

/** Something to be done by whichever replica can. */
export interface Deed<T> extends Question {
  readonly here: () => Promise<T>;
}

/** Whether a runner that this replica knows of the store alone is with another one. */
export function isElsewhere({ recovery, homes }: ReplicaDesk, runnerId: string): boolean {
  return recovery.registry.get(runnerId)?.vitals.unheard === true && homes.isThere(runnerId);
}

/** Has the replica that has a runner do something with it, where this one has not. */
export async function withHome<T>(desk: ReplicaDesk, runnerId: string, deed: Deed<T>): Promise<T> {
  if (desk.recovery.registry.get(runnerId) !== undefined && !isElsewhere(desk, runnerId)) return deed.here();
  const home = desk.homes.homeOf(runnerId);
  return home === undefined ? deed.here() : ((await desk.calls.ask(home, deed)) as T);
}

/** Asks the others, one after the other, about an execution that this one does not know. */
export async function withHolder<T>(desk: ReplicaDesk, deed: Deed<T>): Promise<T> {
  try {
    return await deed.here();
  } catch (error) {
    if (!refusesWith(error, 'EXECUTION_NOT_FOUND')) throw error;
    for (const { id } of desk.others()) {
      try {
        return (await desk.calls.ask(id, deed)) as T;
      } catch (refusal) {
        if (!refusesWith(refusal, 'EXECUTION_NOT_FOUND')) throw refusal;
      }
    }
    throw error;
  }
}
