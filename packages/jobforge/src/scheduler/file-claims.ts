import { randomUUID } from 'node:crypto';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RecordAccess } from '../store/collection.js';

/**
 * Keeps what forgets the files of jobs that are gone and who brings such files out of each other's way, whichever
 * JobForge on the store either is: the two change one record, of which the second of them is told.
 */
export interface FileClaims {
  /**
   * Files of a job are about to be brought: they stay for a quarter of an hour, in which the job is submitted. Resolves once none of
   * an earlier one is being removed any more.
   * @throws JobForgeError STORE_UNAVAILABLE where that takes too long
   */
  claim(jobId: string): Promise<void>;
  /** Resolves once no files of a job are being removed: what is kept after that of a job that is there stays. */
  settled(jobId: string): Promise<void>;
  /** Forgets the files of a job. False where it is there, or was claimed lately. */
  forget(jobId: string, remove: () => Promise<void>): Promise<boolean>;
}

export interface FileClaimParts {
  readonly records: RecordAccess;
  readonly clock: Clock;
  /** Whether the store has a job. */
  readonly isThere: (jobId: string) => Promise<boolean>;
}

const CLAIMED_MS = 900_000;
/** Whoever has not removed the files by then has ended. */
const GOING_MS = 300_000;
const LOOK_MS = 50;
const MAX_LOOKS = 200;

interface Claim {
  readonly kind: 'kept' | 'going';
  /** Milliseconds since 1970. */
  readonly until: number;
  /** No two are the same. */
  readonly by: string;
}

const PLACE = 'claim';
const collectionOf = (jobId: string): string => `files:${jobId}`;

/** The record of each job's claim: read and changed by whoever is first. */
function claimRecords({ load, write }: RecordAccess) {
  return {
    load: async (jobId: string): Promise<string | null> =>
      (await load(collectionOf(jobId)))[0]?.record ?? null,
    /** Resolves to what is written; undefined where another was faster. */
    async put(jobId: string, replaces: string | null, claim: Omit<Claim, 'by'>): Promise<string | undefined> {
      const record = JSON.stringify({ ...claim, by: randomUUID() } satisfies Claim);
      const place = { collection: collectionOf(jobId), id: PLACE };
      const outcome = await write({ kind: 'put-record', ...place, record, replaces });
      return outcome === 'superseded' ? undefined : record;
    },
    remove: (jobId: string, replaces: string) =>
      write({ kind: 'remove-record', collection: collectionOf(jobId), id: PLACE, replaces }),
  };
}

export function createFileClaims({ records, clock, isThere }: FileClaimParts): FileClaims {
  const { load, put, remove: removeClaim } = claimRecords(records);
  const read = (text: string): Claim => JSON.parse(text) as Claim;
  const isGoing = (text: string | null): boolean => {
    if (text === null) return false;
    const { kind, until } = read(text);
    return kind === 'going' && until > clock.now();
  };
  const isKept = (text: string | null, forMs: number): boolean => {
    if (text === null) return false;
    const { kind, until } = read(text);
    return kind === 'kept' && until > clock.now() + forMs;
  };
  /** Looks again and again until what it finds is good. */
  const until = async (jobId: string, good: (text: string | null) => Promise<boolean>): Promise<void> => {
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const text = await load(jobId);
      if (!isGoing(text) && (await good(text))) return;
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
    }
    throw new JobForgeError('STORE_UNAVAILABLE', {
      message: `The files of an earlier job with the id "${jobId}" are being removed.`,
      remedy: 'Send it again in a while.',
      retryAfter: 5,
    });
  };

  return {
    async claim(jobId) {
      const keep = async (replaces: string | null): Promise<boolean> =>
        (await put(jobId, replaces, { kind: 'kept', until: clock.now() + CLAIMED_MS })) !== undefined;
      if (await keep(null)) return;
      await until(jobId, async (text) => isKept(text, CLAIMED_MS / 2) || keep(text));
    },
    settled: (jobId) => until(jobId, async () => true),
    async forget(jobId, remove) {
      const before = await load(jobId);
      if (isGoing(before) || isKept(before, 0)) return false;
      const record = await put(jobId, before, { kind: 'going', until: clock.now() + GOING_MS });
      if (record === undefined) return false;
      try {
        // Whoever has submitted it did so before, or waits.
        if (await isThere(jobId)) return false;
        await remove();
        return true;
      } finally {
        await removeClaim(jobId, record);
      }
    },
  };
}
