import type { PollResponse } from '@controlplane/contracts';
import { dialInRegistration, type Offered, type ReceivedFrame } from './dial-in-runner.js';

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string } };
}

/** A runner that polls, whose every request the test makes. */
export interface Poller {
  readonly runnerId: string;
  register(overrides?: Record<string, unknown>): Promise<string>;
  post(path: string, body: object): Promise<Reply>;
  poll(body?: object): Promise<ReceivedFrame[]>;
  offers(body?: object): Promise<Offered[]>;
  accept(offered: Offered): Promise<Reply>;
  tell(offered: Offered, ...events: object[]): Promise<Reply>;
}

/** Registers a runner that polls. */
export async function poller(url: string, overrides: Record<string, unknown> = {}): Promise<Poller> {
  const post: Poller['post'] = async (path, body) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Reply['body'] };
  };
  const registration = (more: object): object =>
    dialInRegistration({ delivery: { kind: 'long-poll' }, ...overrides, ...more });
  const register = async (more: object = {}): Promise<string> =>
    String((await post('/runners/register', registration(more))).body['runnerId']);
  const runnerId = await register();
  const poll: Poller['poll'] = async (body = {}) => {
    const { body: answer } = await post(`/runners/${runnerId}/poll`, { instanceId: 'i1', ...body });
    return (answer as unknown as PollResponse).frames as unknown as ReceivedFrame[];
  };
  return {
    runnerId,
    register,
    post,
    poll,
    async offers(body) {
      for (;;) {
        const offers = (await poll(body)).flatMap((frame) =>
          frame.type === 'offers' ? (frame.executions ?? []) : [],
        );
        if (offers.length > 0) return [...offers];
      }
    },
    accept: ({ executionId, leaseToken }) => post(`/executions/${executionId}/accept`, { leaseToken }),
    tell: ({ executionId, leaseToken }, ...events) =>
      post(`/executions/${executionId}/events`, { leaseToken, events }),
  };
}
