import type { Session } from './client-command.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { printJson } from './json-output.js';

/**
 * Watches a job until it has ended, or until the first signal to end: then it says that the job goes on and how to
 * watch it again.
 */
export async function watchJob(
  { context, terminal, json }: Session,
  jobId: string,
  watch: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const leaving = new AbortController();
  const release = context.onSignal(() => leaving.abort());
  try {
    return await watch(leaving.signal);
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    if (json) printJson(terminal, 'job submit --follow', { event: 'interrupted', jobId });
    else terminal.err(`job ${jobId} goes on: \`jobforge job logs ${jobId} --follow\` watches it again`);
    return EXIT.interrupted;
  } finally {
    release();
  }
}
