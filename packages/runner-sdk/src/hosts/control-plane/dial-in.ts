import type { Credentials } from './credentials.js';
import type { OfferedExecutions, OfferWire } from './offered-executions.js';
import type { Refusal } from '../refusals.js';
import type { SessionCore } from './session-core.js';

/** What a line needs that the runner itself opens. */
export interface DialInOptions {
  readonly core: SessionCore;
  readonly credentials: Credentials;
  readonly offers: OfferedExecutions;
  /**
   * The other side cannot be spoken to in this way, though it may be reached: `stop` when another line takes over.
   * `failures` counts those in a row, this one included.
   */
  readonly onBlocked?: ((refusal: Refusal, failures: number) => 'stop' | 'again') | undefined;
  /** Failures in a row of the lines before this one: its delays go on from there. Default: 0. */
  readonly priorFailures?: number | undefined;
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
