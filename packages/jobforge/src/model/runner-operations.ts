import type {
  RunnerControlRequest,
  RunnerDeletionQuery,
  RunnerDeletionResponse,
  RunnerMetadata,
  RunnerVerification,
} from '@controlplane/contracts';

/** What an operator does to a runner. All of it is on disk when it is answered; each refuses with RUNNER_NOT_FOUND. */
export interface RunnerControlOperations {
  /** Places nothing more on the runner's process, and tells it to finish what it runs and leave. */
  drainRunner(id: string, request: RunnerControlRequest, actor?: string): Promise<RunnerMetadata>;
  /** Places nothing on the runner until it is enabled. */
  disableRunner(id: string, request: RunnerControlRequest, actor?: string): Promise<RunnerMetadata>;
  /** Takes both of the above back; a process that was told to leave leaves all the same. */
  enableRunner(id: string, actor?: string): Promise<RunnerMetadata>;
  /** Resolves with what was found; a runner that does not answer is no error. */
  verifyRunner(id: string, actor?: string): Promise<RunnerVerification>;
  /** Refuses with RUNNER_IN_USE while the runner is connected or runs something, unless forced. */
  deleteRunner(id: string, query: RunnerDeletionQuery, actor?: string): Promise<RunnerDeletionResponse>;
}
