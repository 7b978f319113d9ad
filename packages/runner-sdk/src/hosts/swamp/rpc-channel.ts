import { randomUUID } from 'node:crypto';
import { SwampFrame } from '@controlplane/contracts/swamp';
import type { Clock, TimerHandle } from '../../util/clock.js';

/** What a request was answered with. */
export type RpcAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** What a request of the other side is answered by; the one end of all counts. */
export interface RpcReply {
  readonly id: string;
  stream(event: { readonly kind: string; readonly [member: string]: unknown }): void;
  respond(result: unknown): void;
  fail(code: string, message: string): void;
}

/** What a channel needs. */
export interface RpcChannelOptions {
  readonly send: (text: string) => void;
  readonly clock: Clock;
  onRequest(method: string, params: unknown, reply: RpcReply): void;
  /** The other side wants no more of a request. */
  onCancel(id: string): void;
  /** A frame that is none of this protocol, in words. */
  onStrange(what: string): void;
}

/** Requests in both directions over one connection after another. */
export interface RpcChannel {
  /** Milliseconds: 30,000, after which the request is taken back. */
  request(method: string, params: unknown): Promise<RpcAnswer>;
  receive(text: string): void;
  /** The connection is gone, and with it whatever was asked over it. */
  onLost(): void;
}

const REQUEST_MS = 30_000;

/** What was asked of the other side and not answered yet. */
function createAsking(send: (frame: SwampFrame) => void, clock: Clock) {
  const pending = new Map<string, (answer: RpcAnswer) => void>();
  function request(method: string, params: unknown): Promise<RpcAnswer> {
    return new Promise((resolve) => {
      const id = randomUUID();
      const timer: TimerHandle = clock.setTimeout(() => {
        send({ type: 'rpc.cancel', id });
        const message = `${method} was not answered within ${REQUEST_MS} ms`;
        settle({ ok: false, code: 'timeout', message });
      }, REQUEST_MS);
      function settle(answer: RpcAnswer): void {
        clock.clearTimeout(timer);
        pending.delete(id);
        resolve(answer);
      }
      pending.set(id, settle);
      send({ type: 'rpc.request', id, method, params });
    });
  }

  return {
    request,
    settle: (id: string, answer: RpcAnswer): void => pending.get(id)?.(answer),
    onLost(): void {
      for (const settle of [...pending.values()])
        settle({ ok: false, code: 'connection_lost', message: 'the connection is gone' });
    },
  };
}

/** @returns undefined for what is meant for others, and a text for what is wrong */
function readFrame(text: string): SwampFrame | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'a message that is no JSON';
  }
  const { type } = Object(value) as { readonly type?: unknown };
  // The same socket carries what is meant for swamp's own clients.
  if (typeof type !== 'string' || !type.startsWith('rpc.')) return undefined;
  return SwampFrame.safeParse(value).data ?? `a malformed ${type}`;
}

/** Makes the channel; nothing is sent before something is asked. */
export function createRpcChannel(options: RpcChannelOptions): RpcChannel {
  const { clock, onStrange } = options;
  /** Requests of the other side that were not answered yet. */
  let open = new Set<string>();
  const send = (frame: SwampFrame): void => options.send(JSON.stringify(frame));
  const asking = createAsking(send, clock);

  function serve(id: string, method: string, params: unknown): void {
    const own = open;
    if (own.has(id))
      return send({
        type: 'rpc.error',
        id,
        error: { code: 'duplicate_id', message: `request ${id} is being answered` },
      });
    own.add(id);
    // Over another connection nobody waits for this id any more.
    const once = (frame: SwampFrame): void => {
      if (own.delete(id) && own === open) send(frame);
    };
    options.onRequest(method, params, {
      id,
      stream: (event) => {
        if (own.has(id) && own === open) send({ type: 'rpc.stream', id, event });
      },
      respond: (result) => once({ type: 'rpc.response', id, result }),
      fail: (code, message) => once({ type: 'rpc.error', id, error: { code, message } }),
    });
  }

  function take(frame: SwampFrame): void {
    switch (frame.type) {
      case 'rpc.request':
        return serve(frame.id, frame.method, frame.params);
      case 'rpc.response':
        return asking.settle(frame.id, { ok: true, result: frame.result });
      case 'rpc.error':
        return asking.settle(frame.id, { ok: false, code: frame.error.code, message: frame.error.message });
      case 'rpc.cancel':
        return options.onCancel(frame.id);
      case 'rpc.stream':
        return;
    }
  }

  return {
    request: asking.request,
    receive(text) {
      const frame = readFrame(text);
      if (typeof frame === 'string') onStrange(frame);
      else if (frame) take(frame);
    },
    onLost() {
      open = new Set();
      asking.onLost();
    },
  };
}
