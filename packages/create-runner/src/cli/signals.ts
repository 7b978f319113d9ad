import { CreateRunnerError, EXIT } from '../errors/create-runner-error.js';

/** Runs `work` with a signal that Ctrl-C and SIGTERM abort, so that what is half made is cleaned up. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void =>
    controller.abort(
      new CreateRunnerError('Interrupted; nothing was created.', { exitCode: EXIT.interrupted }),
    );
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
