import { expect, test } from 'vitest';
import { silentLogger } from '../util/logger.js';
import type { HostedRunner } from './host.js';
import { createSessionState, onRefused } from './session-state.js';

test.each(['the secret is another one', 'the secret is another one.'])(
  'what is to be done about a refusal is a sentence of its own: %s',
  async (message) => {
    const errors: string[] = [];
    const runner: Pick<HostedRunner, 'logger' | 'changed'> = {
      logger: {
        ...silentLogger,
        error: (_fields: object | string, line?: string) => void errors.push(line ?? ''),
      },
      changed: () => undefined,
    };
    const session = createSessionState(runner as HostedRunner, 'ws://a.example');
    onRefused(session, {
      code: 'CREDENTIAL_INVALID',
      message,
      remedy: 'Give it anew',
      retryAfterMs: undefined,
    });
    await expect(session.registration.promise).rejects.toMatchObject({ code: 'REGISTRATION_REFUSED' });
    expect(errors).toEqual([
      'ws://a.example refused this runner for good: CREDENTIAL_INVALID: the secret is another one. Give it anew. It is not asked again; restart the runner then.',
    ]);
  },
);
