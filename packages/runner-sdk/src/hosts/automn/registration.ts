import { arch, machine, platform, uptime } from 'node:os';
import {
  AUTOMN_VERSIONS,
  AutomnRefused,
  AutomnRegistered,
  automnRegisterPath,
  type AutomnRegistration,
  type AutomnRegistrationState,
} from '@controlplane/contracts/automn';
import { createHttpClient } from '../../transport/http-client.js';
import { readBytes } from '../../transport/read-bytes.js';
import { createTimestamps } from '../../util/clock.js';
import { headerRetryAfterMs, unreachable, type Answer, type Refusal } from '../refusals.js';
import type { SessionState } from '../session-state.js';
import type { Kept, KeptState } from './kept-state.js';
import type { ResolvedAutomnOptions } from './options.js';
import { isAtLeast, refusalOfRegistration } from './refusals.js';
import { runtimesOf } from './script-language.js';
import type { Secrets } from './secrets.js';

/** Milliseconds for one registration, its answer included. */
const REQUEST_MS = 10_000;

/** Bytes of an answer, which says little more than whether the runner is known. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Registers the runner, and knows what came of it. */
export interface Registration {
  /** One call, which is the heartbeat too; undefined where there is no secret to make it with. Never rejects. */
  perform(reason: string): Promise<Answer<AutomnRegistered> | undefined>;
  state(): AutomnRegistrationState;
  /** Forgets that there was a registration, because the secret has changed. */
  unlock(): Promise<void>;
}

/** What a registration is made of. */
export interface RegistrationParts {
  readonly session: SessionState;
  readonly options: ResolvedAutomnOptions;
  readonly secrets: Secrets;
  readonly kept: KeptState;
  /** What an earlier process has left. */
  readonly before: Kept;
  /** Where jobs are posted. */
  readonly endpoint: () => string;
}

type Last = Pick<
  AutomnRegistrationState,
  'registeredAt' | 'lastRegistrationAttempt' | 'lastRegistrationError' | 'lastRegistrationStatus'
> & { lockedAt: string | null; lastRegistrationResponse: unknown };

const lastOf = (before: Kept): Last => ({
  lockedAt: before.lockedAt ?? null,
  registeredAt: before.registeredAt ?? null,
  lastRegistrationAttempt: before.lastRegistrationAttempt ?? null,
  lastRegistrationError: before.lastRegistrationError ?? null,
  lastRegistrationStatus: before.lastRegistrationStatus ?? null,
  lastRegistrationResponse: before.lastRegistrationResponse ?? null,
});

function bodyOf(parts: RegistrationParts, reason: string): Omit<AutomnRegistration, 'secret'> {
  const { options, session, endpoint } = parts;
  const { runner } = session;
  return {
    endpoint: endpoint(),
    statusMessage: `${options.statusMessage} (${reason})`,
    maxConcurrency: options.maxConcurrency ?? runner.slots().total,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    // The version of the protocol: it is compared with the host's own.
    version: AUTOMN_VERSIONS.runner,
    minimumHostVersion: AUTOMN_VERSIONS.minimumHost,
    os: platform(),
    platform: arch(),
    arch: machine(),
    uptime: Math.floor(uptime()),
    runtimes: { ...(options.runtimes ?? runtimesOf(runner.describe().labels ?? {})) },
  };
}

/** Says what does not fit, once for each pair of versions. */
function createVersionCheck({ session }: RegistrationParts): (answer: AutomnRegistered) => void {
  let said = '';
  return ({ hostVersion, minimumRunnerVersion }) => {
    const pair = `${hostVersion} ${minimumRunnerVersion}`;
    if (pair === said) return;
    said = pair;
    const { logger } = session.runner;
    if (!isAtLeast(hostVersion, AUTOMN_VERSIONS.minimumHost))
      logger.warn(
        `the control plane is of version ${hostVersion}, older than ${AUTOMN_VERSIONS.minimumHost}`,
      );
    if (!isAtLeast(AUTOMN_VERSIONS.runner, minimumRunnerVersion))
      logger.warn(
        `the control plane asks for runners of version ${minimumRunnerVersion}; this one speaks ${AUTOMN_VERSIONS.runner}: it may lack what is newer`,
      );
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function asker({
  session,
  options,
}: RegistrationParts): (body: AutomnRegistration) => Promise<Answer<AutomnRegistered>> {
  const baseUrl = options.hostUrl.replace(/\/+$/, '');
  const http = createHttpClient({ baseUrl, timeoutMs: REQUEST_MS, fetch: session.runner.fetch });
  return async (body) => {
    try {
      const path = automnRegisterPath(options.runnerId);
      // Who answers from elsewhere is not who the secret is for.
      const signal = AbortSignal.timeout(REQUEST_MS);
      const response = await http(path, { method: 'POST', json: body, redirect: 'error', signal });
      const said = parsed((await readBytes(response, MAX_ANSWER_BYTES)).toString('utf8'));
      const { ok, status, headers } = response;
      const value = AutomnRegistered.safeParse(said).data;
      if (ok && value?.registered) return { ok: true, value };
      const retryAfterMs = headerRetryAfterMs(headers.get('retry-after'));
      return { ...refusalOfRegistration(status, AutomnRefused.safeParse(said).data), retryAfterMs };
    } catch (error) {
      return unreachable(error);
    }
  };
}

/** What is told of an answer: nothing of theirs that nobody here has looked at. */
const shownOf = ({
  runnerHost,
  registered,
  hostVersion,
  minimumRunnerVersion,
}: AutomnRegistered): object => ({
  registered,
  hostVersion,
  minimumRunnerVersion,
  runnerHost: runnerHost && { id: runnerHost.id, name: runnerHost.name, status: runnerHost.status },
});

function noteAnswer(last: Last, answer: Answer<AutomnRegistered>, now: string): void {
  if (answer.ok) {
    last.registeredAt = now;
    last.lockedAt ??= now;
    last.lastRegistrationError = null;
    last.lastRegistrationStatus = 'ok';
    last.lastRegistrationResponse = shownOf(answer.value);
    return;
  }
  last.lastRegistrationError = sayRefusal(answer);
  last.lastRegistrationStatus = answer.code === 'UNREACHABLE' ? 'network-error' : 'error';
  last.lastRegistrationResponse = null;
}

/** Makes the registration of one runner. */
export function createRegistration(parts: RegistrationParts): Registration {
  const { session, options, secrets, kept, before, endpoint } = parts;
  const { hostUrl, runnerId } = options;
  const now = createTimestamps(session.runner.clock);
  const ask = asker(parts);
  const checkVersions = createVersionCheck(parts);
  const last = lastOf(before);

  const keep = (): Promise<void> =>
    kept.write({ ...secrets.kept(), ...last, hostUrl, runnerId, endpointUrl: endpoint() });
  async function askWith(secret: string, reason: string): Promise<Answer<AutomnRegistered>> {
    last.lastRegistrationAttempt = now();
    const answer = await ask({ secret, ...bodyOf(parts, reason) });
    if (answer.ok) {
      secrets.confirm(secret);
      checkVersions(answer.value);
    } else if (answer.code === 'CREDENTIAL_INVALID') secrets.refuse(secret);
    return answer;
  }
  return {
    async perform(reason) {
      let answer: Answer<AutomnRegistered>;
      try {
        const secret = await secrets.current();
        if (secret === undefined) return undefined;
        answer = await askWith(secret, reason);
      } catch (error) {
        answer = unreachable(error);
      }
      noteAnswer(last, answer, now());
      await keep();
      return answer;
    },
    state: () => {
      const { lockedAt, ...rest } = last;
      return {
        runnerId,
        hostUrl,
        endpointUrl: endpoint(),
        secretConfigured: secrets.isThere(),
        secretSource: secrets.source,
        locked: lockedAt !== null,
        ...rest,
      };
    },
    async unlock() {
      Object.assign(last, lastOf({}));
      await keep();
    },
  };
}

const sayRefusal = ({ message, remedy }: Refusal): string => (remedy ? `${message}. ${remedy}` : message);
