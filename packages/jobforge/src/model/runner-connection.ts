import type { RunnerFrame } from '@controlplane/contracts';

/** A connection that a runner has dialled, as JobForge writes to it. */
export interface RunnerConnection {
  /** Sends one frame, as JSON. */
  send(frame: string): void;
  /** Bytes that were sent and that the network has not taken yet. */
  bufferedBytes(): number;
  /** Asks whether the other side is there. */
  ping(): void;
  /** Reads nothing until `resume`: what arrives waits on the runner's side. */
  pause(): void;
  resume(): void;
  /** Says farewell; what does not answer is cut off after a while. */
  close(code: number, reason: string): void;
  /** Cuts it off. */
  terminate(): void;
}

/** What JobForge makes of a connection: told of all that comes over it. */
export interface RunnerSession {
  onFrame(frame: RunnerFrame): void;
  /** Answers a ping. */
  onPong(): void;
  /** The network has taken what was sent. */
  onDrain(): void;
  /** It is closed, whoever closed it. Nothing is told after this. */
  onClose(): void;
}

/** What a poll is answered with. */
export interface PollAnswer {
  /** JSON of a `PollResponse`. */
  readonly body: string;
  /** JobForge is going away: the connection is of no further use. */
  readonly last: boolean;
  /** Says that it did not reach the runner: what it offered goes back. */
  undelivered(): void;
}
