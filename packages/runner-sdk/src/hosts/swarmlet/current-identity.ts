import type { SwarmletMetadata } from '@controlplane/contracts/swarmlet';
import { RunnerError } from '../../errors/runner-error.js';
import { readSource } from '../credential-source.js';
import { isPermanent, type Refusal } from '../refusals.js';
import { joinUntilDone, onRefused, type SessionState } from '../session-state.js';
import { enroll, forgetIdentity, knownIdentity, type Identity } from './identity.js';
import type { ResolvedSwarmletOptions } from './options.js';

/** What a current identity is made of. */
export interface CurrentIdentityOptions {
  readonly session: SessionState;
  readonly options: ResolvedSwarmletOptions;
  readonly metadata: SwarmletMetadata;
  /** The runner goes: nothing is asked for any more. */
  readonly leaving: AbortSignal;
}

/** Who the runner is, from one connection to the next: what proves it is read again, and replaced where that helps. */
export interface CurrentIdentity {
  /** Undefined as long as nobody knows the runner. */
  readonly known: Identity | undefined;
  /** Of the connection that there is. */
  readonly secret: string | undefined;
  /**
   * Before each connection: enrolls where nothing else says who the runner is, and reads the secret anew.
   * @throws Error when there is nothing to connect with
   */
  prepare(): Promise<void>;
  /** The control plane has taken it. */
  accepted(): void;
  /** Whether the runner may connect again after a refusal; where it may not, the session is told. */
  mayRetry(refusal: Refusal): boolean;
  /** Resolves when nothing is being enrolled or forgotten. */
  settled(): Promise<void>;
}

interface State extends CurrentIdentityOptions {
  known: Identity | undefined;
  secret: string | undefined;
  /** What was refused last; `isSame` once the secret was read again and is still that one. */
  refused: { readonly secret: string | undefined; readonly refusal: Refusal; isSame: boolean } | undefined;
  /** Enrolled, and not taken since: to enroll once more would be the same again. */
  isUnproven: boolean;
  enrolling: Promise<void>;
  forgetting: Promise<void>;
}

async function identify(state: State): Promise<void> {
  const { session, options, metadata, leaving } = state;
  await state.forgetting;
  state.known = await knownIdentity(session.runner, options);
  if (state.known) return;
  if (options.enrollToken === undefined)
    return onRefused(session, {
      code: 'CREDENTIAL_MISSING',
      message: 'the runner has neither a secret nor an enrollment token, and kept none',
      remedy: 'Set RUNNER_SECRET with RUNNER_ID or RUNNER_NAME, or SWARMLET_ENROLL_TOKEN.',
      retryAfterMs: undefined,
    });
  await joinUntilDone<Identity>(session, {
    ask: () => enroll(session.runner, options, metadata),
    onKnown(identity) {
      state.known = identity;
      state.isUnproven = true;
    },
    leaving,
  });
}

async function prepare(state: State): Promise<void> {
  if (!state.known) await (state.enrolling = identify(state));
  const { known, refused } = state;
  if (!known) throw new RunnerError('REGISTRATION_REFUSED', 'the control plane knows no such runner');
  const secret = await readSource(known.secret, 'secret');
  // A secret that was refused is not offered twice.
  if (refused && refused.secret === secret) {
    refused.isSame = true;
    throw new RunnerError('REGISTRATION_REFUSED', refused.refusal.message);
  }
  state.secret = secret;
  state.refused = undefined;
}

/** What was kept is not taken any more: it must not stand in the way of another enrollment. */
function replaceKept(state: State, refusal: Refusal): boolean {
  const { session, options, isUnproven } = state;
  const mayEnroll = options.enrollToken !== undefined && !isUnproven;
  state.known = undefined;
  state.forgetting = forgetIdentity(session.runner, options.url).then(() => {
    if (!mayEnroll) onRefused(session, refusal);
  });
  return mayEnroll;
}

const isOfSecret = (code: string): boolean => /^(CREDENTIAL|TOKEN)_/.test(code);
const isOfIdentity = (code: string): boolean => isOfSecret(code) || code === 'RUNNER_MISMATCH';

/** A secret from a file or a function may be another one the next time: it is read once more before the end. */
function mayReadAgain(state: State, refusal: Refusal): boolean {
  const { known, secret, refused } = state;
  if (refused?.isSame || !isOfSecret(refusal.code) || typeof known?.secret === 'string') return false;
  state.refused = { secret, refusal, isSame: false };
  return true;
}

function mayRetry(state: State, refusal: Refusal): boolean {
  const { session, known, refused, leaving } = state;
  if (leaving.aborted || session.state === 'refused') return false;
  const final = refused?.isSame ? refused.refusal : refusal;
  if (!isPermanent(final)) return true;
  if (known?.isKept && isOfIdentity(final.code)) return replaceKept(state, final);
  if (mayReadAgain(state, final)) return true;
  onRefused(session, final);
  return false;
}

/** Makes it; nothing is read and nobody asked before the first connection. */
export function createCurrentIdentity(options: CurrentIdentityOptions): CurrentIdentity {
  const state: State = {
    ...options,
    known: undefined,
    secret: undefined,
    refused: undefined,
    isUnproven: false,
    enrolling: Promise.resolve(),
    forgetting: Promise.resolve(),
  };
  return {
    get known() {
      return state.known;
    },
    get secret() {
      return state.secret;
    },
    prepare: () => prepare(state),
    accepted() {
      state.refused = undefined;
      state.isUnproven = false;
    },
    mayRetry: (refusal) => mayRetry(state, refusal),
    async settled() {
      await Promise.all([state.enrolling, state.forgetting]);
    },
  };
}
