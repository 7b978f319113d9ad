import { DEFAULTS } from '@controlplane/contracts';
import type { Caller, Gate, RunnerCaller } from '../model/caller.js';
import type { Clock } from '../model/clock.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { TokenRecord } from '../model/token-state.js';
import { createCollection, type RecordAccess } from '../store/collection.js';
import { createFailureLimit } from './failure-limit.js';
import { createRunnerAdmission, endOfGrounds, type RunnerAdmission } from './runner-admission.js';
import { createRunnerSecrets, type RunnerAccessRecord, type RunnerSecrets } from './runner-secrets.js';
import { hashOf, isHashOf, readCredential } from './secret-text.js';
import { createSecondLook, noSecondLook, type SecondLook } from './second-look.js';
import { createSessions, type SessionKeyRecord } from './sessions.js';
import { createTokens, type Tokens } from './tokens.js';

/** Whom JobForge asks for a credential, and how long what it hands out lasts. */
export interface AccessSettings {
  /** False: nobody is asked. */
  readonly required: boolean;
  /** Counts as a token with the role admin; undefined for none. */
  readonly adminToken: string | undefined;
  readonly sessionMs: number;
  /** Of one name from one address. */
  readonly maxFailuresPerMinute: number;
}

export const OPEN_ACCESS: AccessSettings = {
  required: false,
  adminToken: undefined,
  sessionMs: DEFAULTS.sessionMs,
  maxFailuresPerMinute: 10,
};

/** Who may ask what, as one thing. */
export interface Access extends Gate {
  readonly tokens: Tokens;
  readonly secrets: RunnerSecrets;
  readonly admission: RunnerAdmission;
  /** Loads what the store keeps. */
  start(): Promise<void>;
  /** Reads it anew, where another JobForge on the same store has changed it. */
  reload(): Promise<void>;
}

const ANYONE: Caller = { kind: 'anyone' };
/** The name of the token that comes with the options. */
export const OPTIONS_TOKEN = 'admin-token';
/** Names that may be wrong at once at one address, before no more is said than that. */
const NAMES_PER_ADDRESS = 10;

interface Verifiers {
  readonly tokens: Tokens;
  readonly secrets: RunnerSecrets;
  readonly sessions: ReturnType<typeof createSessions>;
  readonly clock: Clock;
  readonly again: SecondLook;
}

/** The runner that has proved itself, unless what it rests on is over. */
function standing(parts: Verifiers, caller: RunnerCaller): RunnerCaller {
  const end = endOfGrounds(parts, caller.runnerId, caller);
  if (end !== undefined) throw end.error;
  return caller;
}

function bySecret(parts: Verifiers, runnerId: string, text: string): RunnerCaller | Promise<RunnerCaller> {
  return parts.again(() => {
    const { id } = parts.secrets.verify(runnerId, text);
    return standing(parts, { kind: 'runner', runnerId, secretId: id });
  });
}

function bySession(parts: Verifiers, token: string): RunnerCaller | Promise<RunnerCaller> {
  const claims = parts.sessions.verify(token);
  // A signature that is wrong stays wrong, whatever is read.
  const judge = ({ runnerId, token: by, secretId, expiresAt }: Awaited<typeof claims>) =>
    parts.again(() => standing(parts, { kind: 'runner', runnerId, token: by, secretId, expiresAt }));
  return claims instanceof Promise ? claims.then(judge) : judge(claims);
}

function createVerify(
  parts: Verifiers,
  adminHash: string | undefined,
): (text: string) => Caller | Promise<Caller> {
  return (text) => {
    const credential = readCredential(text);
    if (adminHash !== undefined && credential.form !== 'session' && isHashOf(adminHash, text))
      return { kind: 'api', name: OPTIONS_TOKEN, role: 'admin' };
    switch (credential.form) {
      case 'api':
        return parts.again(() => parts.tokens.verifyApi(credential.id, credential.secret));
      case 'enrollment':
        return parts.again(() => parts.tokens.verifyEnrollment(credential.id, credential.secret));
      case 'runner':
        return bySecret(parts, credential.id, credential.secret);
      case 'session':
        return bySession(parts, credential.token);
      case 'other':
        throw new JobForgeError('CREDENTIAL_INVALID');
    }
  };
}

function limited(waitMs: number): JobForgeError {
  return new JobForgeError('AUTH_RATE_LIMITED', { retryAfter: Math.ceil(waitMs / 1000) });
}

/** The name that a credential claims, for counting what was refused. */
function claimOf(text: string): string {
  const credential = readCredential(text);
  return 'id' in credential ? `${credential.form}:${credential.id}` : credential.form;
}

function createGate(
  verify: (text: string) => Caller | Promise<Caller>,
  { clock, maxFailures }: { readonly clock: Clock; readonly maxFailures: number },
): Gate {
  const byClaim = createFailureLimit({ clock, maxFailures });
  const byAddress = createFailureLimit({ clock, maxFailures: maxFailures * NAMES_PER_ADDRESS });
  const onRefusal = (error: unknown, text: string, address: string): never => {
    if (isJobForgeError(error) && error.envelope.code === 'STORE_UNAVAILABLE') throw error;
    byClaim.failed(`${address}|${claimOf(text)}`);
    byAddress.failed(address);
    const waitMs = byAddress.waitMs(address);
    throw waitMs > 0 ? limited(waitMs) : error;
  };
  return {
    identify(text, address) {
      if (text === undefined) throw new JobForgeError('CREDENTIAL_MISSING');
      const session = text.startsWith('eyJ');
      const waitMs = session ? 0 : byClaim.waitMs(`${address}|${claimOf(text)}`);
      if (waitMs > 0) throw limited(waitMs);
      try {
        const caller = verify(text);
        if (!(caller instanceof Promise)) return caller;
        return caller.catch((error: unknown) => onRefusal(error, text, address));
      } catch (error) {
        return onRefusal(error, text, address);
      }
    },
  };
}

export function createAccess({
  records,
  clock,
  settings,
  isShared = false,
}: {
  readonly records: RecordAccess;
  readonly clock: Clock;
  readonly settings: AccessSettings;
  /** Whether other JobForges work over the same store. */
  readonly isShared?: boolean;
}): Access {
  const { required, adminToken, sessionMs, maxFailuresPerMinute } = settings;
  const collections = {
    tokens: createCollection<TokenRecord>(records, 'tokens'),
    secrets: createCollection<RunnerAccessRecord>(records, 'runner-secrets'),
    keys: createCollection<SessionKeyRecord>(records, 'session-keys'),
  };
  const tokens = createTokens({ collection: collections.tokens, clock });
  const secrets = createRunnerSecrets({ collection: collections.secrets, clock });
  const sessions = createSessions({ collection: collections.keys, clock, sessionMs });
  const reload = async (): Promise<void> => {
    await Promise.all(Object.values(collections).map((collection) => collection.reload()));
  };
  const again = isShared ? createSecondLook(reload, clock) : noSecondLook;
  const verify = createVerify(
    { tokens, secrets, sessions, clock, again },
    adminToken === undefined ? undefined : hashOf(adminToken),
  );
  const gate = createGate(verify, { clock, maxFailures: maxFailuresPerMinute });
  return {
    tokens,
    secrets,
    admission: createRunnerAdmission({ tokens, secrets, sessions, clock, sessionMs, required }),
    identify: required ? gate.identify : () => ANYONE,
    reload,
    async start() {
      await reload();
      if (required) await sessions.start();
    },
  };
}
