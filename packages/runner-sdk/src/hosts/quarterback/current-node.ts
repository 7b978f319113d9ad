import { hostname } from 'node:os';
import { z } from 'zod';
import { sayThrown } from '../../util/safe-json.js';
import { readSource } from '../credential-source.js';
import { refused, unreachable, type Answer, type Refusal } from '../refusals.js';
import { joinUntilDone, onRefused, type SessionState } from '../session-state.js';
import { fileNameOf } from '../state-files.js';
import type { ResolvedQuarterbackOptions } from './options.js';
import { osType } from './os-type.js';
import type { QuarterbackCalls } from './quarterback-calls.js';

/** Whom the control plane knows the runner as. */
export interface KnownNode {
  readonly id: string;
  readonly apiKey: string;
}

/** What a current identity is made of. */
export interface CurrentNodeOptions {
  readonly session: SessionState;
  readonly options: ResolvedQuarterbackOptions;
  readonly calls: QuarterbackCalls;
  readonly leaving: AbortSignal;
}

/** Who the runner is, from one call to the next. */
export interface CurrentNode {
  /** The one that is known: of an earlier registration, else of one that is made now. Undefined once that is refused. */
  current(): Promise<KnownNode | undefined>;
  accepted(node: KnownNode): void;
  /** It is not taken any more: the next call registers anew, where that can help. */
  rejected(node: KnownNode, refusal: Refusal): void;
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
}

interface State extends CurrentNodeOptions {
  readonly name: string;
  readonly file: string;
  known: KnownNode | undefined;
  /** Registered, and not taken since: to register once more would be the same again. */
  isUnproven: boolean;
  identifying: Promise<void> | undefined;
  forgetting: Promise<void>;
}

const Kept = z.object({ id: z.string().min(1), apiKey: z.string().min(1) });

/** Where things of one runner at one control plane are, in the state directory. */
export const stateNameOf = (url: string, name: string): string =>
  `quarterback/${fileNameOf(`${url.replace(/\/+$/, '')} ${name}`)}`;

async function kept({ session: { runner }, file }: State): Promise<KnownNode | undefined> {
  try {
    const text = await runner.state?.read(file);
    return text === undefined ? undefined : Kept.parse(JSON.parse(text));
  } catch (error) {
    runner.logger.warn(`the registration kept in the state directory cannot be used: ${sayThrown(error)}`);
    return undefined;
  }
}

async function keep({ session: { runner }, file }: State, node: KnownNode): Promise<void> {
  const lost =
    'the registration is not kept: after a restart this runner is another one to the control plane';
  if (!runner.state) return runner.logger.warn(`${lost}; set option "stateDirectory" or RUNNER_STATE_DIR`);
  await runner.state
    .write(file, JSON.stringify(node))
    .catch((error: unknown) => runner.logger.error(`${lost}: ${sayThrown(error)}`));
}

async function register(state: State): Promise<Answer<KnownNode>> {
  const { calls, options, name } = state;
  try {
    const token = (await readSource(options.registrationToken, 'registrationToken')) ?? '';
    const answer = await calls.register({ hostname: hostname(), name, os_type: await osType() }, token);
    if (!answer.ok) return answer;
    const node = { id: answer.value.id, apiKey: answer.value.api_key };
    await keep(state, node);
    return { ok: true, value: node };
  } catch (error) {
    return unreachable(error);
  }
}

async function identify(state: State): Promise<void> {
  const { session, options, leaving } = state;
  await state.forgetting;
  state.known = await kept(state);
  if (state.known) return;
  if (options.registrationToken === undefined)
    return onRefused(
      session,
      refused(
        'CREDENTIAL_MISSING',
        'the runner has no registration token, and kept no registration',
        'Set REGISTRATION_TOKEN or REGISTRATION_TOKEN_FILE.',
      ),
    );
  await joinUntilDone<KnownNode>(session, {
    ask: () => register(state),
    onKnown(node) {
      state.known = node;
      state.isUnproven = true;
    },
    leaving,
  });
}

function forget({ session: { runner }, file }: State): Promise<void> {
  return (runner.state?.remove(file) ?? Promise.resolve()).catch((error: unknown) =>
    runner.logger.error(`a registration that is not taken any more cannot be removed: ${sayThrown(error)}`),
  );
}

/** Makes it; nothing is read and nobody asked before the first call. */
export function createCurrentNode(options: CurrentNodeOptions): CurrentNode {
  const { session, options: resolved, leaving } = options;
  const name = resolved.nodeName ?? session.runner.manifest.name;
  const state: State = {
    ...options,
    name,
    file: `${stateNameOf(resolved.url, name)}.json`,
    known: undefined,
    isUnproven: false,
    identifying: undefined,
    forgetting: Promise.resolve(),
  };
  return {
    async current() {
      if (session.state === 'refused' || leaving.aborted) return state.known;
      if (!state.known)
        await (state.identifying ??= identify(state).finally(() => {
          state.identifying = undefined;
        }));
      return state.known;
    },
    accepted(node) {
      if (node === state.known) state.isUnproven = false;
    },
    rejected(node, refusal) {
      if (node !== state.known || session.state === 'refused') return;
      state.known = undefined;
      state.forgetting = forget(state);
      const cannotHelp = state.isUnproven || resolved.registrationToken === undefined;
      if (cannotHelp) onRefused(session, refusal);
      else session.runner.logger.warn(`${refusal.message}; registering anew`);
    },
    async settled() {
      await Promise.all([state.identifying, state.forgetting]);
    },
  };
}
