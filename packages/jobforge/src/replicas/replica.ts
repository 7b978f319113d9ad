import type { Operations } from '../model/operations.js';
import type { Sharing } from '../scheduler/sharing.js';
import { createTurns } from '../scheduler/turns.js';
import type { SharedStore } from '../store/replica-store.js';
import { createClaims, type Claims } from './claims.js';
import { createMembership, type Membership } from './membership.js';
import { createOrphanSearch, type OrphanSearch } from './orphans.js';
import { createReplicaCalls, type ReplicaCalls } from './replica-calls.js';
import type { ReplicaDesk } from './replica-desk.js';
import { createSummon, releaseRunner, type Summon } from './runner-moves.js';
import { sharedHandlers, sharedOperations } from './shared-operations.js';
import { createStaleRunners } from './stale-runners.js';

/** This JobForge as one of several over a store. */
export interface Replica {
  /** Joins the others and begins to look for work. */
  start(): Promise<void>;
  /** Called whenever the scheduler looks: there may be room for more. */
  look(): void;
  /** The operations of this JobForge, widened by what the others know. */
  readonly operations: Operations;
  /** Why this one could not say lately that it is there; undefined while all is well. */
  failure(): Error | undefined;
  /** Says that nothing is done here any more; called once everything is on disk. */
  leave(): Promise<void>;
  stop(): void;
}

export interface ReplicaParts extends Pick<
  ReplicaDesk,
  'recovery' | 'links' | 'operations' | 'records' | 'files'
> {
  readonly shared: SharedStore;
}

/** How long a question to another replica may take. */
const ANSWER_MS = 3_000;
/** Submissions within this time wake the others once. */
const ANNOUNCE_MS = 10;

interface Parts {
  readonly desk: ReplicaDesk;
  readonly claims: Claims;
  readonly membership: Membership;
  readonly orphans: OrphanSearch;
  readonly appetite: Appetite;
  readonly summon: Summon;
}

/** Whether there may be work that is nobody's. */
interface Appetite {
  hungry: boolean;
}

/** Takes jobs while there are some and there is room for them. */
function createFeeder({ desk, claims, appetite }: Parts): { feed(): Promise<void>; look(): void } {
  const { state } = desk.recovery;
  let feeding = false;
  const feed = async (): Promise<void> => {
    if (!appetite.hungry || state.stopping || !claims.hasRoom()) return;
    appetite.hungry = false;
    if (await claims.claim()) appetite.hungry = true;
  };
  return {
    feed: () => desk.inTurn(feed),
    look() {
      if (feeding || !appetite.hungry || state.stopping || !claims.hasRoom()) return;
      feeding = true;
      desk
        .inTurn(feed)
        .catch((error: unknown) => state.log('warn', 'jobs could not be claimed', { problem: String(error) }))
        .finally(() => {
          feeding = false;
          state.wake();
        })
        .catch(() => undefined);
    },
  };
}

function createSharing({ desk, claims, membership, appetite, summon }: Parts): Sharing {
  const { clock } = desk.recovery.state;
  let announcing = false;
  const announce = (): void => {
    if (announcing || membership.others().length === 0) return;
    announcing = true;
    clock.after(ANNOUNCE_MS, () => {
      announcing = false;
      // They look by themselves from time to time.
      membership
        .store()
        .announceWork()
        .catch(() => undefined);
    });
  };
  return {
    placeOf: claims.placeOf,
    onUnowned() {
      appetite.hungry = true;
      desk.recovery.state.wake();
      announce();
    },
    welcome: summon,
  };
}

/** Once a beat: that it is there, who else is, and whether there is work. */
function createRounds({ desk, claims, membership, orphans, appetite }: Parts, feed: () => Promise<void>) {
  const staleRunners = createStaleRunners(desk);
  const { clock, limits, log } = desk.recovery.state;
  let stopped = false;
  let failure: Error | undefined;
  let stopTimer = (): void => undefined;
  const beat = async (): Promise<void> => {
    // Whoever has left would be there again.
    if (stopped) return;
    await membership.beat();
    staleRunners.look();
    // What a runner that is taken over proves itself with may have been handed out where it was.
    await desk.records.reload();
    if (await membership.takeOverLost()) await desk.records.takeUpDeliveries();
    await claims.release();
    await orphans.look();
    appetite.hungry = true;
  };
  const round = async (): Promise<void> => {
    await desk.calls.receive();
    await desk.inTurn(beat);
    await feed();
  };
  const next = (): void => {
    round()
      .then(
        () => (failure = undefined),
        (error: unknown) => {
          failure = error instanceof Error ? error : new Error(String(error));
          log('warn', 'this replica could not say that it is there', { problem: String(error) });
        },
      )
      .finally(() => {
        if (!stopped) stopTimer = clock.after(limits.replicaBeatMs, next);
      })
      .catch(() => undefined);
  };
  return {
    begin: next,
    failure: () => failure,
    stop() {
      stopped = true;
      stopTimer();
    },
  };
}

/** What fails in its turn may have given up, taken over or claimed jobs, whatever this replica knows. */
function createInTurn(suspect: () => void): ReplicaDesk['inTurn'] {
  const turns = createTurns();
  return (work) =>
    turns.take('jobs', () =>
      work().catch((error: unknown) => {
        suspect();
        throw error;
      }),
    );
}

export function createReplica({ shared, ...parts }: ReplicaParts): Replica {
  const { recovery, operations, records, files } = parts;
  const { judge } = files.artifacts;
  const { state } = recovery;
  const inTurn = createInTurn(() => orphans.suspect());
  const appetite: Appetite = { hungry: true };
  const readMail = (): void =>
    void calls
      .receive()
      .catch((error: unknown) => state.log('warn', 'messages could not be read', { problem: String(error) }));
  const membership = createMembership({
    ...{ shared, recovery },
    suspects: () => orphans.suspects(),
    onLost: (replica) => calls.forget(replica),
    listener: {
      onMessage: readMail,
      onWork() {
        appetite.hungry = true;
        state.wake();
      },
    },
  });
  const { store, others, homes, expecting } = membership;
  const orphans = createOrphanSearch({ recovery, store });
  const calls: ReplicaCalls = createReplicaCalls({
    ...{ store, clock: state.clock, log: state.log, answerMs: ANSWER_MS },
    handlers: {
      ...sharedHandlers(operations),
      reloadRecords: records.reload,
      judgeLease: async (...asked: Parameters<typeof judge>) => judge(...asked),
      releaseRunner: (runnerId: string, to: number) => inTurn(() => releaseRunner(desk, runnerId, to)),
    },
  });
  const desk: ReplicaDesk = {
    ...parts,
    ...{ store, others, homes, inTurn, calls },
    owed: new Map(),
    suspect: orphans.suspect,
  };
  const claims = createClaims({ recovery, store, isAlone: () => others().length === 0 });
  const summon = createSummon({ desk, expecting });
  const own: Parts = { desk, claims, membership, orphans, appetite, summon };
  const feeder = createFeeder(own);
  const rounds = createRounds(own, feeder.feed);
  return {
    async start() {
      await membership.join();
      state.sharing = createSharing(own);
      await membership.takeOverLost();
      rounds.begin();
    },
    look: feeder.look,
    operations: sharedOperations(desk, summon),
    leave: () => inTurn(membership.leave),
    failure: rounds.failure,
    stop: rounds.stop,
  };
}
