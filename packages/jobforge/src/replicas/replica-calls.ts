/**
 * @module
 * replicas/ lets several JobForges work over one store: which of them has a job, what becomes of the jobs of one that is
 * lost, and how one asks another. It imports scheduler/ and what that imports; nothing of it runs over a store that one
 * process has for itself.
 */
import { randomUUID } from 'node:crypto';
import type { ErrorCode, ErrorEnvelope } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import type { ReplicaStore } from '../store/replica-store.js';

/** What replicas ask of one another, by name: what goes in and comes out is JSON. */
export type CallHandlers = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** What one replica asks another. */
export interface Question {
  readonly name: string;
  readonly args: readonly unknown[];
  /** How long the answer may take. Default: that of all. */
  readonly answerMs?: number | undefined;
}

/** Questions to other replicas and their answers, as messages through the store. */
export interface ReplicaCalls {
  /** Refuses with what the other refuses with, or with STORE_UNAVAILABLE where it does not answer. */
  ask(to: number, question: Question): Promise<unknown>;
  /** Reads what has come and acts on it. */
  receive(): Promise<void>;
  /** Ends what waits for a replica that is lost. */
  forget(lost: number): void;
}

interface Call {
  readonly kind: 'call';
  readonly id: string;
  readonly from: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

interface Reply {
  readonly kind: 'reply';
  readonly id: string;
  readonly value?: unknown;
  readonly error?: ErrorEnvelope;
}

interface Waiting {
  readonly to: number;
  readonly settle: (reply: Pick<Reply, 'value' | 'error'>) => void;
}

export interface CallParts {
  readonly store: () => ReplicaStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly handlers: CallHandlers;
  readonly answerMs: number;
}

function silence(to: number): ErrorEnvelope {
  return new JobForgeError('STORE_UNAVAILABLE', {
    message: `The replica ${to}, which has it, did not answer. Ask again: if it is lost, another takes over.`,
  }).envelope;
}

function failure(error: unknown): JobForgeError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return new JobForgeError('STORE_UNAVAILABLE', {
    message: 'The replica that has it could not do what it was asked to.',
    causes: [{ name, message }],
  });
}

/** The refusal of another replica as one's own. */
function asRefusal({ code, message, details, remedy, causes, retryAfter }: ErrorEnvelope): JobForgeError {
  return new JobForgeError(code as ErrorCode, {
    message,
    ...(details.length > 0 && { details }),
    ...(remedy !== undefined && { remedy }),
    ...(causes !== undefined && { causes }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

async function answerTo(
  handlers: CallHandlers,
  { name, args }: Call,
): Promise<Pick<Reply, 'value' | 'error'>> {
  const handler = handlers[name] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
  if (handler === undefined) return { error: new JobForgeError('INTERNAL_ERROR').envelope };
  try {
    return { value: await handler(...args) };
  } catch (error) {
    if (isJobForgeError(error)) return { error: error.envelope };
    // It may be asked again: what it came to is judged anew then.
    return { error: failure(error).envelope };
  }
}

export function createReplicaCalls({ store, clock, log, handlers, answerMs }: CallParts): ReplicaCalls {
  const waiting = new Map<string, Waiting>();
  const settle = (id: string, reply: Pick<Reply, 'value' | 'error'>): void => {
    waiting.get(id)?.settle(reply);
    waiting.delete(id);
  };

  const answer = async (call: Call): Promise<void> => {
    const reply: Reply = { kind: 'reply', id: call.id, ...(await answerTo(handlers, call)) };
    await store().send(call.from, JSON.stringify(reply));
  };

  return {
    ask: (to, { name, args, answerMs: withinMs = answerMs }) =>
      new Promise((resolve, reject) => {
        const id = randomUUID();
        const cancelTimer = clock.after(withinMs, () => settle(id, { error: silence(to) }));
        waiting.set(id, {
          to,
          settle({ value, error }) {
            cancelTimer();
            if (error === undefined) resolve(value);
            else reject(asRefusal(error));
          },
        });
        const call: Call = { kind: 'call', id, from: store().id, name, args };
        store()
          .send(to, JSON.stringify(call))
          .catch(() => settle(id, { error: silence(to) }));
      }),
    async receive() {
      for (const text of await store().receive()) {
        const message = JSON.parse(text) as Call | Reply;
        if (message.kind === 'reply') settle(message.id, message);
        else
          answer(message).catch((error: unknown) =>
            log('warn', 'a replica could not be answered', { replica: message.from, problem: String(error) }),
          );
      }
    },
    forget(lost) {
      for (const [id, { to }] of waiting) if (to === lost) settle(id, { error: silence(to) });
    },
  };
}
