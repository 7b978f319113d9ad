import { openSession, type RunnerSession, type SessionOptions } from '../harness/runner-session.js';

/** The runner that cases share; it is started again when it ended. */
export interface SharedRunner {
  /** Its first life: what is known of the runner is read from it. */
  readonly first: RunnerSession;
  /** A life that goes on. Throws TargetUnreachable when the runner does not start again. */
  session(): Promise<RunnerSession>;
  close(): Promise<void>;
}

/**
 * Opens the runner that cases share.
 * @throws TargetUnreachable when it does not start or does not answer
 */
export async function openSharedRunner(options: SessionOptions): Promise<SharedRunner> {
  const first = await openSession(options);
  let current = first;
  let opening: Promise<RunnerSession> | undefined;

  async function reopen(): Promise<RunnerSession> {
    await current.close();
    current = await openSession(options);
    return current;
  }

  return {
    first,
    session: () => {
      if (!current.process?.end()) return Promise.resolve(current);
      opening ??= reopen().finally(() => {
        opening = undefined;
      });
      return opening;
    },
    close: () => current.close(),
  };
}
