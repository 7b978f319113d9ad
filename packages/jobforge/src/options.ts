import { DEFAULTS, RateLimit } from '@controlplane/contracts';
import { createVault, newKey, readKey, type SecretVault } from './access/secret-vault.js';
import { dirname, join } from 'node:path';
import { isLoopback } from './api/loopback.js';
import { authOf, type AuthOptions } from './access/auth-options.js';
import type { AccessSettings } from './access/access.js';
import { DOOR_NAMES, type DoorName } from './doors/door.js';
import type { Clock } from './model/clock.js';
import { DEFAULT_LIMITS, type JobForgeLimits } from './model/limits.js';
import { silentLog, type Log } from './model/log.js';
import { unknownNames } from './model/near-name.js';
import type { StorePlace } from './store/open-store.js';
import { isPostgresUrl, readPostgresUrl } from './store/postgres-url.js';

/** Where the HTTP API listens. */
export interface ListenOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free one. Default: 3002. */
  readonly port?: number;
  /** Host names accepted beside those of this machine. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Certificate and key in PEM: HTTPS and nothing else. Default: HTTP. */
  readonly tls?: TlsOptions;
}

/** What JobForge proves itself with to whoever connects. */
export interface TlsOptions {
  /** Its certificate, with those between it and a root that clients trust. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Of the key, where it has one. */
  readonly passphrase?: string;
}

/** How long jobs that have ended, and the records of them, are kept: whichever comes first. */
export interface RetentionOptions {
  /** Milliseconds since the end. Default: 7 days. */
  readonly maxAgeMs?: number;
  /** The youngest of this many. Default: 100,000. */
  readonly maxJobs?: number;
  /** Milliseconds for which the audit trail and the record of what ran are kept. Default: 365 days. */
  readonly maxTrailAgeMs?: number;
  /** Entries of each of the two that are kept. Default: 250,000. */
  readonly maxTrailLinks?: number;
}

/** Where webhooks may be told. */
export interface WebhookOptions {
  /**
   * True lets messages go to this machine and to private networks too: whoever may submit jobs can then have JobForge
   * send requests there. Default: false.
   */
  readonly allowPrivate?: boolean;
}

/** What {@link createJobForge} takes. Everything has a default. */
export interface JobForgeOptions {
  /**
   * `memory` for none, `sqlite:` and the path of a file, or `postgres://user:password@host:5432/database`, with
   * `?schema=` for another schema than `jobforge`. Default: `sqlite:./data/jobforge.db`.
   */
  readonly store?: string;
  /**
   * `full` survives a power cut; `normal` survives the death of the process and is faster on slow disks.
   * Default: `full`.
   */
  readonly durability?: 'full' | 'normal';
  /** False: no HTTP server; jobs are submitted through the library alone. Default: 127.0.0.1:3002. */
  readonly listen?: ListenOptions | false;
  /**
   * Whom JobForge asks for a credential; false asks nobody. Default: nobody where only this machine can reach it. On
   * any other address it has to be said.
   */
  readonly auth?: AuthOptions | false;
  /** Sizes and times that differ from the defaults. */
  readonly limits?: Partial<JobForgeLimits>;
  /** How long jobs that have ended are kept; false keeps all. Default: 7 days, 100,000 jobs. */
  readonly retention?: RetentionOptions | false;
  /**
   * How often executions of a capability may begin, by its id; goes before what the capability declares. Default: none.
   */
  readonly rateLimits?: Readonly<Record<string, RateLimit>>;
  /**
   * Folder of the files that jobs leave. Replicas over one PostgreSQL need one that they share. Default: `files` beside
   * the SQLite file, `./data/files` with PostgreSQL, a temporary one with the store `memory`.
   */
  readonly files?: string;
  /**
   * Key with which secrets are stored: 32 bytes, as base64 or hex. Without it none can be set, but with the store
   * `memory`, which makes one of its own.
   */
  readonly secretsKey?: string;
  /** Where webhooks may be told. */
  readonly webhooks?: WebhookOptions;
  /**
   * Other control planes whose runners are let in, with their own words at their own paths and with credentials of
   * JobForge. Default: none.
   */
  readonly accept?: readonly DoorName[];
  /** Hears of what goes on. Default: nobody. */
  readonly log?: Log;
  /** Default: the machine's own time. */
  readonly clock?: Clock;
  /** A number in [0, 1), for spreading retries. Default: Math.random. */
  readonly random?: () => number;
}

export const DEFAULT_STORE = 'sqlite:./data/jobforge.db';

export type ResolvedListen = Required<Omit<ListenOptions, 'tls'>> & Pick<ListenOptions, 'tls'>;

export interface ResolvedOptions {
  readonly place: StorePlace;
  readonly durability: 'full' | 'normal';
  readonly listen: ResolvedListen | false;
  readonly access: AccessSettings;
  readonly limits: JobForgeLimits;
  readonly retention: Required<RetentionOptions> | false;
  readonly rateLimits: Readonly<Record<string, RateLimit>>;
  /** Undefined for one of this process alone. */
  readonly files: string | undefined;
  /** Undefined where there is no key. */
  readonly vault: SecretVault | undefined;
  readonly webhooks: Required<WebhookOptions>;
  readonly accept: readonly DoorName[];
  readonly log: Log;
}

function placeOf(store: string): StorePlace {
  if (store === 'memory') return { kind: 'sqlite', location: ':memory:' };
  if (store.startsWith('sqlite:') && store.length > 'sqlite:'.length)
    return { kind: 'sqlite', location: store.slice('sqlite:'.length) };
  if (isPostgresUrl(store)) {
    readPostgresUrl(store);
    return { kind: 'postgres', url: store };
  }
  // What follows a scheme may be a password.
  const shown = store.includes('://') ? store.slice(0, store.indexOf('://') + 3) : store;
  throw new TypeError(
    `store "${shown}" is not known: expected "memory", "sqlite:" and the path of a file, such as ${DEFAULT_STORE}, ` +
      'or "postgres://" and a database',
  );
}

function filesOf(place: StorePlace): string | undefined {
  if (place.kind === 'postgres') return './data/files';
  return place.location === ':memory:' ? undefined : join(dirname(place.location), 'files');
}

/** What is kept in memory alone needs no key that anybody else knows. */
function vaultOf(key: string | undefined, place: StorePlace): SecretVault | undefined {
  if (key !== undefined) return createVault(readKey(key));
  const isMemory = place.kind === 'sqlite' && place.location === ':memory:';
  return isMemory ? createVault(newKey()) : undefined;
}

const OPTION_NAMES: readonly (keyof JobForgeOptions)[] = [
  'store',
  'durability',
  'listen',
  'auth',
  'limits',
  'retention',
  'rateLimits',
  'files',
  'secretsKey',
  'webhooks',
  'accept',
  'log',
  'clock',
  'random',
];
const LISTEN_NAMES: readonly (keyof ListenOptions)[] = ['host', 'port', 'allowedHosts', 'tls'];

function refuseUnknown(who: string, given: object, known: readonly string[]): void {
  const unknown = unknownNames(given, known);
  if (unknown !== undefined) throw new TypeError(`${who} does not know ${unknown}`);
}

/** What was given, over the defaults: a member that is undefined counts as not given. */
function over<T extends object>(defaults: T, given: Partial<T>): T {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(said) as Partial<T>) };
}

function counts<T extends object>(who: string, given: T): T {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (Number.isSafeInteger(value) && Number(value) >= 0) continue;
    throw new TypeError(`${who}.${name} ${JSON.stringify(value)} is no whole number of at least 0`);
  }
  return given;
}

function limitsOf(given: Partial<JobForgeLimits>): JobForgeLimits {
  refuseUnknown('limits', given, Object.keys(DEFAULT_LIMITS));
  return counts('limits', over(DEFAULT_LIMITS, given));
}

const DEFAULT_RETENTION: Required<RetentionOptions> = {
  maxAgeMs: 7 * 24 * 60 * 60 * 1000,
  maxJobs: 100_000,
  maxTrailAgeMs: 365 * 24 * 60 * 60 * 1000,
  maxTrailLinks: 250_000,
};

function retentionOf(given: RetentionOptions | false): Required<RetentionOptions> | false {
  if (given === false) return false;
  refuseUnknown('retention', given, Object.keys(DEFAULT_RETENTION));
  return counts('retention', over(DEFAULT_RETENTION, given));
}

function webhooksOf(given: WebhookOptions): Required<WebhookOptions> {
  refuseUnknown('webhooks', given, ['allowPrivate']);
  return { allowPrivate: given.allowPrivate === true };
}

const DEFAULT_LISTEN: ResolvedListen = {
  host: '127.0.0.1',
  port: DEFAULTS.jobForgePort,
  allowedHosts: [],
};

function listenOf(given: ListenOptions | false): ResolvedListen | false {
  if (given === false) return false;
  refuseUnknown('listen', given, LISTEN_NAMES);
  const listen: ResolvedListen = over(DEFAULT_LISTEN, given);
  const { port } = listen;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return listen;
  throw new TypeError(
    `listen.port ${JSON.stringify(port)} is no port: expected a whole number from 0 to 65535`,
  );
}

/** Nobody is asked where that is said, or where nobody else can come. */
function accessOf({ auth, listen = {} }: JobForgeOptions): AccessSettings {
  if (auth !== undefined) return authOf(auth);
  const host = listen === false ? DEFAULT_LISTEN.host : (listen.host ?? DEFAULT_LISTEN.host);
  if (isLoopback(host)) return authOf(false);
  throw new TypeError(
    `listen.host ${JSON.stringify(host)} can be reached by others, and option "auth" does not say who may ask: set auth to { adminToken } or {}, or to false where something in front of JobForge decides that`,
  );
}

function durabilityOf(given: 'full' | 'normal'): 'full' | 'normal' {
  if (given === 'full' || given === 'normal') return given;
  throw new TypeError(`durability ${JSON.stringify(given)} is not known: expected "full" or "normal"`);
}

function rateLimitsOf(given: Readonly<Record<string, RateLimit>>): Readonly<Record<string, RateLimit>> {
  for (const [id, limit] of Object.entries(given)) {
    if (RateLimit.safeParse(limit).success) continue;
    throw new TypeError(
      `rateLimits[${JSON.stringify(id)}] is ${JSON.stringify(limit)}: expected { limit, intervalMs }, both whole numbers above 0`,
    );
  }
  return given;
}

function acceptOf(given: readonly string[], listen: JobForgeOptions['listen']): readonly DoorName[] {
  if (listen === false && given.length > 0)
    throw new TypeError(
      'accept lets runners in over HTTP, and listen is false: give a port, or leave accept out',
    );
  const isKnown = (name: string): name is DoorName => DOOR_NAMES.some((known) => known === name);
  return given.map((name) => {
    if (isKnown(name)) return name;
    throw new TypeError(
      `accept ${JSON.stringify(name)} is not known: expected one of ${DOOR_NAMES.join(', ')}`,
    );
  });
}

/**
 * Fills in the defaults.
 * @throws TypeError when an option is not known or cannot be understood
 */
export function resolveOptions(options: JobForgeOptions): ResolvedOptions {
  refuseUnknown('createJobForge', options, OPTION_NAMES);
  const place = placeOf(options.store ?? DEFAULT_STORE);
  return {
    place,
    durability: durabilityOf(options.durability ?? 'full'),
    listen: listenOf(options.listen ?? {}),
    access: accessOf(options),
    limits: limitsOf(options.limits ?? {}),
    retention: retentionOf(options.retention ?? {}),
    rateLimits: rateLimitsOf(options.rateLimits ?? {}),
    files: options.files ?? filesOf(place),
    vault: vaultOf(options.secretsKey, place),
    webhooks: webhooksOf(options.webhooks ?? {}),
    accept: acceptOf(options.accept ?? [], options.listen),
    log: options.log ?? silentLog,
  };
}
