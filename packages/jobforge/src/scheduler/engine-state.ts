import type { RateLimit } from '@controlplane/contracts';
import type { AccessSettings } from '../access/access.js';
import { createFileRooms, type FileRooms } from '../files/file-rooms.js';
import type { Clock } from '../model/clock.js';
import type { Store } from '../store/store.js';
import type { LiveState } from './live-state.js';
import { createRateLimits } from './rate-limits.js';
import { recordAccess } from './record-access.js';
import type { JobForgeLimits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import { createAudit } from '../access/audit.js';
import { createAffinityPins } from './affinity-pins.js';
import { createSecretBook, type SecretRecord } from '../access/secret-book.js';
import type { SecretVault } from '../access/secret-vault.js';
import { createCollection } from '../store/collection.js';
import { createAgenda } from './agenda.js';
import { assertingStore } from './asserting-store.js';
import { createConcurrencyKeys } from './concurrency-keys.js';
import { createEngineMeters } from './engine-meters.js';
import { createEventHub } from './event-hub.js';
import { createGroupCommit } from './group-commit.js';
import { createJobWebhooks } from './job-webhooks.js';
import { createPastExecutions } from './past-executions.js';
import { createMeteredStore } from './metered-store.js';
import { createReadyQueue } from './ready-queue.js';

export interface EngineOptions {
  readonly store: Store;
  readonly limits: JobForgeLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Where the files of jobs are kept. Default: for as long as this process runs. */
  readonly files?: FileRooms;
  /** Encrypts secrets; without it there are none. */
  readonly vault?: SecretVault | undefined;
  /** Default: nobody is asked for a credential. */
  readonly access?: AccessSettings;
  /** Milliseconds on a clock that only rises, for what takes less than one. Default: performance.now. */
  readonly stopwatch?: () => number;
  /** By capability id; goes before what capabilities declare. Default: none. */
  readonly rateLimits?: Readonly<Record<string, RateLimit>>;
  /** Whether webhooks may be told at this machine and in private networks. Default: false. */
  readonly allowPrivateWebhooks?: boolean;
}

/** What an engine's parts share, before anything has happened. */
export function createState({
  store: kept,
  limits,
  clock,
  random,
  log,
  rateLimits = {},
  vault,
  files = createFileRooms(undefined),
  stopwatch = () => performance.now(),
  allowPrivateWebhooks = false,
}: EngineOptions): LiveState {
  const meters = createEngineMeters();
  const store = assertingStore(kept, clock);
  const commit = createGroupCommit({
    ...{ clock, log, maxOperations: limits.maxCommitOperations },
    store: createMeteredStore(store, meters, stopwatch),
  });
  const agenda = createAgenda(clock);
  const ready = createReadyQueue();
  const audit = createAudit({ keep: commit.keep, clock });
  const collection = createCollection<SecretRecord>(recordAccess(store, commit), 'secrets');
  const shared = { store, limits, clock, random, log, commit, agenda };
  return {
    ...shared,
    files,
    webhooks: createJobWebhooks(shared, allowPrivateWebhooks),
    meters,
    jobs: new Map(),
    executions: new Map(),
    probes: new Map(),
    past: createPastExecutions(),
    ready,
    affinity: createAffinityPins(clock, limits.affinityIdleMs),
    concurrency: createConcurrencyKeys(ready.unhold),
    rates: createRateLimits({ configured: rateLimits, clock, keep: commit.keep, later: agenda.add }),
    audit,
    secrets: createSecretBook({ collection, vault, clock, audit }),
    hub: createEventHub(),
    wake: () => undefined,
    look: () => undefined,
    inputBytes: 0,
    stopping: false,
    dismissed: false,
    closed: false,
    sharing: undefined,
    lastInserted: 0,
  };
}
