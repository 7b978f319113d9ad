import type { RunnerRegistrationRequest, SessionCredential } from '@controlplane/contracts';
import type { Caller } from '../model/caller.js';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Grounds, RunnerStanding, StandingEnd } from '../model/runner-standing.js';
import { tokenState } from '../model/token-state.js';
import type { RunnerSecrets } from './runner-secrets.js';
import type { Sessions } from './sessions.js';
import type { Tokens } from './tokens.js';

/** What a registration brings a runner, beside its id. */
export interface Welcome {
  readonly runnerSecret?: string;
  readonly sessionCredential?: SessionCredential;
  readonly standing?: RunnerStanding;
  readonly grounds?: Grounds;
}

/** A registration that may be written. */
export interface Admitted {
  /** The runner that the caller is known to be; undefined where its registration says who it is. */
  readonly runnerId: string | undefined;
  /** Hands out what the runner proves itself with from now on; nothing, and at once, where nobody is asked. */
  welcome(runnerId: string): Welcome | Promise<Welcome>;
}

/** Lets runners in, and says whether they may stay. */
export interface RunnerAdmission {
  /** Refuses with MACHINE_MISMATCH, TOKEN_EXPIRED, TOKEN_REVOKED or ROLE_REQUIRED. */
  admit(caller: Caller | undefined, registration: RunnerRegistrationRequest): Admitted | Promise<Admitted>;
  /** Undefined where nobody is asked for a credential. */
  standingOf(runnerId: string, grounds: Grounds | undefined): RunnerStanding | undefined;
}

export interface AdmissionParts {
  readonly tokens: Tokens;
  readonly secrets: RunnerSecrets;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly sessionMs: number;
  /** Whether anybody is asked for a credential. */
  readonly required: boolean;
}

/** Beats that bring a new session credential, in case one is lost on its way. */
const TELLINGS = 3;

/** The machine that a registration comes from: what it says itself, else where it listens, else its name. */
export function machineOf({
  machineId,
  healthCheckEndpoint,
  name,
}: Pick<RunnerRegistrationRequest, 'machineId' | 'healthCheckEndpoint' | 'name'>): string {
  if (machineId !== undefined) return machineId;
  return healthCheckEndpoint === undefined ? `named ${name}` : `at ${new URL(healthCheckEndpoint).hostname}`;
}

function ended(code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | 'CREDENTIAL_INVALID', what: string): StandingEnd {
  return { error: new JobForgeError(code, { message: what }), mayRenew: code !== 'TOKEN_REVOKED' };
}

type GroundsParts = Pick<AdmissionParts, 'tokens' | 'secrets' | 'clock'>;

/** Why the token that a runner came with ends what it rests on, be it that or a secret. */
function endOfToken(
  { tokens, clock }: GroundsParts,
  came: string | undefined,
  isGround: boolean,
): StandingEnd | undefined {
  const by = came === undefined ? undefined : tokens.get(came);
  const state = by === undefined ? 'revoked' : tokenState(by, clock.now());
  if (state === 'revoked')
    return ended('TOKEN_REVOKED', `The token "${came}" that this runner came with was revoked.`);
  if (!isGround || state !== 'expired') return undefined;
  return ended('TOKEN_EXPIRED', `The token "${came}" has expired.`);
}

/** Why what a runner rests on is over. */
export function endOfGrounds(
  parts: GroundsParts,
  runnerId: string,
  { token, secretId }: Grounds,
): StandingEnd | undefined {
  const record = parts.secrets.get(runnerId);
  if (record === undefined) return ended('CREDENTIAL_INVALID', 'This runner was deleted.');
  if (record.revokedAt !== undefined) return ended('TOKEN_REVOKED', 'This runner was revoked.');
  const byToken = endOfToken(parts, token ?? record.enrolledBy, token !== undefined);
  if (byToken !== undefined || token !== undefined) return byToken;
  const secret = record.secrets.find(({ id }) => id === secretId);
  const until = secret === undefined ? 0 : (secret.expiresAt ?? Number.POSITIVE_INFINITY);
  if (until > parts.clock.now()) return undefined;
  return ended('CREDENTIAL_INVALID', 'The secret of this runner was replaced by another.');
}

/** When what a runner rests on ends by itself. */
function untilOf(
  { tokens, secrets }: AdmissionParts,
  runnerId: string,
  { token, secretId }: Grounds,
): number {
  const secret = secrets.get(runnerId)?.secrets.find(({ id }) => id === secretId);
  const until = token === undefined ? secret?.expiresAt : tokens.get(token)?.expiresAt;
  return until ?? Number.POSITIVE_INFINITY;
}

function createStanding(
  parts: AdmissionParts,
  runnerId: string,
  { grounds, issuedAt: first }: { readonly grounds: Grounds; readonly issuedAt: number },
): RunnerStanding {
  const { sessions, secrets, clock, sessionMs } = parts;
  let issuedAt = first;
  let ready: SessionCredential | undefined;
  let tellings = 0;
  const renew = (): void => {
    issuedAt = clock.now();
    sessions.issue({ runnerId, ...grounds }, untilOf(parts, runnerId, grounds)).then(
      (credential) => {
        ready = credential;
        tellings = TELLINGS;
      },
      // Without a key there is nothing to sign with: the next beat tries again.
      () => void (issuedAt = first),
    );
  };
  return {
    grounds,
    end: () => endOfGrounds(parts, runnerId, grounds),
    isToRenew: () =>
      grounds.token === undefined &&
      secrets.get(runnerId)?.secrets.find(({ id }) => id === grounds.secretId)?.expiresAt !== undefined,
    slide() {
      if (clock.now() - issuedAt >= sessionMs / 3) renew();
      if (ready === undefined || tellings === 0) return undefined;
      tellings -= 1;
      return ready;
    },
  };
}

/** What a runner is given that rests on `grounds` from now on. */
async function begin(
  parts: AdmissionParts,
  runnerId: string,
  { grounds, runnerSecret }: { readonly grounds: Grounds; readonly runnerSecret?: string | undefined },
): Promise<Welcome> {
  const issuedAt = parts.clock.now();
  const until = untilOf(parts, runnerId, grounds);
  const sessionCredential = await parts.sessions.issue({ runnerId, ...grounds }, until);
  const standing = createStanding(parts, runnerId, { grounds, issuedAt });
  return { sessionCredential, standing, grounds, ...(runnerSecret !== undefined && { runnerSecret }) };
}

export function createRunnerAdmission(parts: AdmissionParts): RunnerAdmission {
  const { tokens, secrets, clock } = parts;

  const knownRunner = (caller: Extract<Caller, { kind: 'runner' }>, machine: string): Admitted => {
    const record = secrets.get(caller.runnerId);
    if (record !== undefined && record.machine !== machine)
      throw new JobForgeError('MACHINE_MISMATCH', {
        message: 'This runner secret belongs to a runner on another machine.',
      });
    return {
      runnerId: caller.runnerId,
      async welcome(runnerId) {
        const { token, secretId } = caller;
        const secret = record?.secrets.find(({ id }) => id === secretId);
        if (secret?.expiresAt === undefined) return begin(parts, runnerId, { grounds: { token, secretId } });
        const issued = await secrets.renew(runnerId);
        return begin(parts, runnerId, { grounds: { secretId: issued.id }, runnerSecret: issued.text });
      },
    };
  };

  const byToken = async (token: string, machine: string): Promise<Admitted> => {
    const { name, durable } = await tokens.enroll(token, machine);
    return {
      runnerId: undefined,
      async welcome(runnerId) {
        const issued = await secrets.enrolled(runnerId, { token: name, machine, durable });
        return begin(parts, runnerId, { grounds: { token: name }, runnerSecret: issued?.text });
      },
    };
  };

  return {
    admit(caller, registration) {
      if (!parts.required || caller === undefined || caller.kind === 'anyone')
        return { runnerId: undefined, welcome: () => ({}) };
      const machine = machineOf(registration);
      if (caller.kind === 'runner') return knownRunner(caller, machine);
      if (caller.kind === 'api')
        throw new JobForgeError('ROLE_REQUIRED', {
          message: `The API token "${caller.name}" takes in no runner: that needs an enrollment token or a runner secret.`,
        });
      return byToken(caller.token, machine);
    },
    standingOf(runnerId, grounds) {
      if (!parts.required) return undefined;
      // What registered while nobody was asked for a credential has none.
      if (grounds === undefined) return unproven();
      return createStanding(parts, runnerId, { grounds, issuedAt: clock.now() });
    },
  };
}

/** Of a runner that registered while nobody was asked for a credential. */
function unproven(): RunnerStanding {
  const end = { error: new JobForgeError('CREDENTIAL_MISSING'), mayRenew: true };
  return { grounds: {}, end: () => end, isToRenew: () => true, slide: () => undefined };
}
