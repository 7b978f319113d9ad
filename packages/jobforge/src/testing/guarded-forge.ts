import {
  TokenCreation,
  type CreatedToken,
  type ErrorEnvelope,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { createManualClock, type ManualClock } from './manual-clock.js';
import { openForges, type TestForge } from './open-forge.js';
import { startStubRunner, type StubRunner } from './stub-runner.js';

export const ADMIN_TOKEN = 'an-admin-token-of-enough-characters-for-a-test';
export const HOUR_MS = 3_600_000;

/** What an endpoint answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { readonly error?: ErrorEnvelope };
}

/** A JobForge that asks for credentials, on a clock that the test moves. */
export interface GuardedForge {
  readonly forge: JobForge;
  readonly url: string;
  readonly clock: ManualClock;
  /** Asks with a credential, or without one. Answers of streams are not read. */
  ask(
    method: string,
    path: string,
    options?: { readonly as?: string | undefined; readonly body?: unknown },
  ): Promise<Answered>;
  token(request: { readonly name: string } & Record<string, unknown>): Promise<CreatedToken>;
  /** Registers a runner that is pushed to. */
  enroll(
    runner: StubRunner,
    as: string,
    overrides?: Record<string, unknown>,
  ): Promise<Answered & { readonly body: RunnerRegistrationResponse }>;
}

export interface GuardedForges {
  guarded(options?: JobForgeOptions): Promise<GuardedForge>;
  runner: TestForge['runner'];
  close(): Promise<void>;
}

/** Opens what one test needs; closed after it. */
export function openGuarded(): GuardedForges {
  const forges = openForges();
  const runners: StubRunner[] = [];
  return {
    async guarded(options = {}) {
      const clock = createManualClock(Date.parse('2026-01-01T00:00:00Z'));
      const forge = await forges.forge({
        listen: { port: 0 },
        auth: { adminToken: ADMIN_TOKEN, maxFailuresPerMinute: 100_000 },
        clock,
        ...options,
      });
      const url = forge.url ?? '';
      const ask: GuardedForge['ask'] = async (method, path, { as, body } = {}) => {
        const leave = new AbortController();
        const response = await fetch(`${url}${path}`, {
          method,
          signal: leave.signal,
          headers: {
            ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const { status, headers } = response;
        const isJson = headers.get('content-type')?.startsWith('application/json') === true;
        const read = isJson ? ((await response.json()) as Answered['body']) : {};
        if (!isJson) leave.abort();
        return { status, headers, body: read };
      };
      return {
        ...{ forge, url, clock, ask },
        token: (request) => forge.operations.createToken(TokenCreation.parse(request)),
        async enroll(runner, as, overrides) {
          const body = runner.registration(overrides);
          const answered = await ask('POST', '/runners/register', { as, body });
          return answered as Awaited<ReturnType<GuardedForge['enroll']>>;
        },
      };
    },
    async runner(options) {
      const runner = await startStubRunner(options);
      runners.push(runner);
      return runner;
    },
    async close() {
      await forges.close();
      for (const runner of runners.splice(0)) await runner.close();
    },
  };
}
