import { StoreFailing } from './store-failing.js';
import type { StoredJob } from './stored-job.js';

/** To whom a job belongs that is being submitted, and what those need to know who may take it. */
export interface JobPlace {
  /** The replica that submits it keeps it; else it is nobody's until one takes it. */
  readonly owned: boolean;
  /** Jobs of one lane ask for the same. */
  readonly lane: string;
  /** Jobs of a lower rank go first. */
  readonly rank: number;
  readonly expiresAt: number | undefined;
}

/** What a replica says with each beat. */
export interface ReplicaBeat {
  /** No unfinished job of the replica has a smaller seq. Undefined leaves what was said before. */
  readonly floor: number | undefined;
  /** JSON of the runners that it has; undefined leaves what was said before. */
  readonly runners: string | undefined;
}

/** Another replica, as it last said. */
export interface OtherReplica {
  readonly id: number;
  /** JSON. */
  readonly runners: string;
}

/** When a replica that says nothing is given up. */
export interface LossTerms {
  /** Without a beat, whatever else. */
  readonly lostMs: number;
  /** Without a beat and without its connection. */
  readonly absentMs: number;
}

/** What wakes a replica before it would look by itself. */
export interface ReplicaListener {
  /** A job is there that is nobody's. */
  onWork(): void;
  onMessage(): void;
}

/**
 * One JobForge among several over one store. A job that has not ended belongs to one of them or to nobody; what a
 * replica writes after it was given up is refused, so that no two decide about one job.
 */
export interface ReplicaStore {
  readonly id: number;
  /** False where the others have given this replica up. */
  beat(beat: ReplicaBeat): Promise<boolean>;
  others(): Promise<readonly OtherReplica[]>;
  /** Others that are lost. */
  lost(terms: LossTerms): Promise<readonly number[]>;
  /**
   * Ends a lost replica. What it had leased belongs to this one now and is handed over; what waited is nobody's.
   */
  takeOver(lost: number): Promise<readonly StoredJob[]>;
  /** One job of each lane of those that are nobody's: the next of it. */
  unownedLanes(): Promise<readonly (StoredJob & { readonly lane: string })[]>;
  /** Takes jobs of a lane that are nobody's: lowest rank, then submitted first. */
  claim(lane: string, limit: number): Promise<readonly StoredJob[]>;
  /** Takes jobs that are nobody's and should have begun before a time. */
  claimExpired(now: number, limit: number): Promise<readonly StoredJob[]>;
  /** Takes one job where it is nobody's. */
  claimJob(id: string): Promise<StoredJob | undefined>;
  /** The replica that has a job that has not ended. */
  ownerOf(id: string): Promise<number | undefined>;
  /** Gives jobs to another replica, or to nobody. */
  release(seqs: readonly number[], to: number | undefined): Promise<void>;
  /** Jobs of this replica that have not ended, in the order of their seq. */
  ownJobs(): Promise<readonly StoredJob[]>;
  /** Jobs of any replica that have not ended, newest first. */
  unfinished(page: {
    readonly before: number | undefined;
    readonly limit: number;
  }): Promise<readonly StoredJob[]>;
  send(to: number, message: string): Promise<void>;
  /** Takes what others have sent, in order. */
  receive(): Promise<readonly string[]>;
  /** Says that there is work that is nobody's. */
  announceWork(): Promise<void>;
  listen(listener: ReplicaListener): void;
  /** Leaves what is not ended to the others, at once. */
  leave(): Promise<void>;
}

/** A store that several JobForges may open. */
export interface SharedStore {
  /** What is written from now on is written as this replica. */
  join(): Promise<ReplicaStore>;
}

/** Refuses what a replica writes that was given up. */
export class ReplicaLost extends StoreFailing {
  override readonly name = 'ReplicaLost';

  constructor() {
    super('The other replicas have given this one up: what it had is theirs.');
  }
}
