/**
 * @module
 * doors/ lets the runners of other control planes in, in their own words: a room for each translates their calls and
 * frames into what a runner of our own would say, so that nothing behind a door knows of them. It imports contracts,
 * model/, node:http, what api/ reads and writes requests with, and what links/ posts and reads lines with; never store,
 * scheduler or cli.
 */
import type { IncomingMessage } from 'node:http';
import type { Gate } from '../model/caller.js';
import type { Clock } from '../model/clock.js';
import type { JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import type { Operations } from '../model/operations.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import type { ReadAnnounced } from './announced.js';

/** Control planes whose runners can be let in. */
export const DOOR_NAMES = ['swarmlet', 'automn', 'quarterback', 'swamp'] as const;

export type DoorName = (typeof DOOR_NAMES)[number];

/** What a door is made of. */
export interface DoorParts {
  readonly operations: Pick<Operations, 'connectRunner' | 'registerRunner' | 'showRunner' | 'listRunners'>;
  /** Says who asks. */
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
  readonly readAnnounced: ReadAnnounced;
  /** This process: what its doors remember of executions is gone with it. */
  readonly instanceId: string;
}

/** A request at a door. */
export interface DoorExchange {
  readonly request: IncomingMessage;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Where it comes from. */
  readonly address: string;
}

/** An answer in the words of the other control plane: sent as JSON, bytes as they are. */
export interface DoorReply {
  readonly status: number;
  readonly body: unknown;
  /** Seconds after which another try may be taken. */
  readonly retryAfter?: number | undefined;
}

/** One of their endpoints. */
export interface DoorEndpoint {
  readonly method: 'GET' | 'POST';
  /** With `:name` for a parameter. */
  readonly path: string;
  /** Whose credential it takes: an enrollment token's, or a runner's. */
  readonly auth: 'enroll' | 'runner';
  /** Answers, or throws a `JobForgeError`. */
  answer(exchange: DoorExchange): Promise<DoorReply>;
}

/** What a door makes of a socket: told of all that comes over it. */
export interface DoorSocket {
  onText(text: string): void;
  /** Answers a ping. */
  onPong(): void;
  /** The network has taken what was sent. */
  onDrain(): void;
  /** It is closed, whoever closed it. */
  onClose(): void;
}

/** What lets the runners of one other control plane in. */
export interface Door {
  readonly name: DoorName;
  readonly endpoints: readonly DoorEndpoint[];
  /** What is refused, as they word it. */
  refusal(error: JobForgeError): DoorReply;
  /** Takes over sockets that are dialled; undefined where it serves none. */
  readonly sockets?: DoorSockets;
}

/** Who has dialled. */
export interface Dialled {
  readonly address: string;
  /** It has proved who it is, or nobody is asked to. */
  readonly onProved: () => void;
}

/** What a door serves over sockets. */
export interface DoorSockets {
  isAt(path: string): boolean;
  /**
   * Takes one over. Nobody has proved anything yet, and little is read until then: what finds out who it is pauses the
   * socket meanwhile.
   */
  open(socket: RunnerConnection, from: Dialled): DoorSocket;
}

/** The doors that are open, as the listener uses them: asked for what nobody else serves. */
export interface Doors {
  /** All that they serve beside sockets. */
  readonly endpoints: readonly (DoorEndpoint & { readonly door: DoorName })[];
  /** Answers a request; undefined where it is none of theirs. */
  answer(request: IncomingMessage): Promise<DoorReply> | undefined;
  /** Takes over a socket that is dialled at a path; undefined where none of them serves it. */
  socketAt(path: string): DoorSockets['open'] | undefined;
}
