import { createHash } from 'node:crypto';
import type { JobPlace } from '../store/replica-store.js';
import type { LiveJob } from './live-job.js';

/** What is decided beside where several JobForges share a store. */
export interface Sharing {
  /** To whom a job belongs that is being submitted; `kept` where this replica has a use for it already. */
  placeOf(job: LiveJob, kept: boolean): JobPlace;
  /** Told when a job is on disk that is nobody's. */
  onUnowned(): void;
  /** Has a runner that comes here leave the replica that it was with; what it runs is known when this resolves. */
  welcome(runnerId: string): Promise<void>;
}

const ID_BYTES = 15;

/** The id of a runner: the same at whichever replica it registers. */
export function sharedRunnerId(identity: string): string {
  return `r-${createHash('sha256').update(identity).digest().subarray(0, ID_BYTES).toString('hex')}`;
}
