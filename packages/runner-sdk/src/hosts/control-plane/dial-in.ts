import type { Credentials } from './credentials.js';
import type { OfferedExecutions, OfferWire } from './offered-executions.js';
import type { Refusal } from './refusals.js';
import type { SessionCore } from './session-core.js';

/** What a line needs that the runner itself opens. */
export interface DialInOptions {
  readonly core: SessionCore;
  readonly credentials: Credentials;
  readonly offers: OfferedExecutions;
  /** The other side cannot be spoken to in this way, though it may be reached: `stop` when another line takes over. */
  readonly onBlocked?: ((refusal: Refusal) => 'stop' | 'again') | undefined;
}

/** One way to a control plane. */
export interface Line {
  readonly delivery: 'push' | 'websocket' | 'long-poll';
  /** Where accepts and events go; undefined where work is pushed. */
  readonly wire?: OfferWire | undefined;
  start(): void;
  /** Registers again. */
  renew(): void;
  /** Makes another connection, after at least so many milliseconds. */
  reconnect(afterMs: number): void;
  announceDrain(): Promise<void>;
  leave(reason: string): Promise<void>;
}
