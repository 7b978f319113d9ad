import {
  isErrorCode,
  type ErrorEnvelope,
  type RunnerRegistrationRequest,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { z } from 'zod';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import type { ForeignExecution } from './foreign-execution.js';

/** Why JobForge lets go of a runner; `error` where it refused it. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
  readonly error: ErrorEnvelope | undefined;
}

/** The same as a refusal, for whoever waits to be let in. */
export function refusalOf({ error, reason }: Farewell): JobForgeError {
  if (error === undefined) return new JobForgeError('RUNNER_UNREACHABLE', { message: reason });
  const { code, service: _service, ...said } = error;
  return isErrorCode(code) ? new JobForgeError(code, said) : new JobForgeError('INTERNAL_ERROR');
}

/** The runner's side of a connection, in its own words. */
export interface ForeignSide extends Pick<
  RunnerConnection,
  'bufferedBytes' | 'ping' | 'pause' | 'resume' | 'terminate'
> {
  /**
   * What it runs is known by what it says alone: over another connection it may be a process that was started anew. What
   * it says nothing of for the time of a lease it does not have.
   */
  readonly isKnownByWord?: boolean;
  /** JobForge has taken the runner in. */
  onReady(registration: RunnerRegistrationResponse): void;
  /** Begins an execution that is claimed. What it throws is the end of it. */
  run(execution: ForeignExecution): void;
  /** Tells the runner to stop an execution. It may know nothing of it. */
  cancel(executionId: string): void;
  /** Closes the connection. */
  end(farewell: Farewell): void;
}

/** A runner as it announces itself; the process and what it holds are known here. */
export type Announcement = Omit<z.input<typeof RunnerRegistrationRequest>, 'instanceId' | 'held'>;

/** One connection of a runner. */
export interface ForeignLine {
  /** The runner has given a sign of life. */
  onHeard(): void;
  /** It has said something of an execution. */
  onWordOf(executionId: string): void;
  /** It says that it does not run an execution any more, and does not know what became of it. */
  onLost(executionId: string): void;
  onDrain(): void;
  /** The runner takes nothing new. */
  drain(): void;
  onClose(): void;
}
