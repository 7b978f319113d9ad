import { isFinalStatus, type JobEvent, type JobResponse } from '@controlplane/contracts';
import type { Session } from './client-command.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { printJson } from './json-output.js';
import { endingLine, eventLine } from './job-lines.js';
import { printableLine } from './printable.js';
import { waitingReason } from './waiting-reason.js';

/** How long a job may take to start before its watcher is told what it waits for. */
const PATIENCE_MS = 300;

/** Shows what happens to a job until it has ended; throws once `signal` is aborted. */
export async function followJob(
  session: Session,
  submitted: JobResponse,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { client, terminal, json } = session;
  if (json) printJson(terminal, 'job submit --follow', { event: 'submitted', job: submitted });
  const show = json
    ? async (event: JobEvent): Promise<void> =>
        printJson(terminal, 'job submit --follow', { event: 'job-event', data: event })
    : eventPrinter(session, submitted, signal);
  for await (const event of client.events(submitted.id, { signal })) await show(event);
  const job = await client.call('showJob', { params: { id: submitted.id } });
  if (json) printJson(terminal, 'job submit --follow', { event: 'ended', job });
  else terminal.out(endingLine(terminal, job));
  return exitCodeOf(job);
}

/** 0 for a job that completed, 1 for any other end. */
export function exitCodeOf({ status }: JobResponse): ExitCode {
  return isFinalStatus(status) && status !== 'completed' ? EXIT.failed : EXIT.ok;
}

// The first line names the runner, and is held back for it; where it takes long, it says what the job waits for.
function eventPrinter(
  { client, terminal }: Session,
  { id }: JobResponse,
  signal: AbortSignal,
): (event: JobEvent) => Promise<void> {
  let introduced = false;
  const introduce = (words: string): void => {
    terminal.out(introduced ? `  ${words}` : `job ${id}  ${words}`);
    introduced = true;
  };
  const explain = async (): Promise<void> => {
    const job = await client.call('showJob', { params: { id } });
    const reason = await waitingReason(client, job);
    if (!introduced && !signal.aborted && !isFinalStatus(job.status))
      introduce(reason ? `queued · ${printableLine(reason)}` : job.status);
  };
  const impatience = setTimeout(() => void explain().catch(() => undefined), PATIENCE_MS);

  return async (event) => {
    if (
      event.type === 'job.started' ||
      (!introduced && event.type !== 'job.created' && event.type !== 'job.queued')
    ) {
      clearTimeout(impatience);
      const name = event.type === 'job.started' ? await runnerName(client, event) : undefined;
      introduce(name === undefined ? 'queued' : `queued → ${printableLine(name)}`);
    }
    const line = eventLine(terminal, event);
    if (line !== undefined) terminal.out(line);
  };
}

async function runnerName(client: Session['client'], { data }: JobEvent): Promise<string | undefined> {
  const { runnerId: id } = data ?? {};
  if (typeof id !== 'string') return undefined;
  // A runner may have left since it took the job: its id still says who it was.
  return client.call('showRunner', { params: { id } }).then(
    (runner) => runner.name,
    () => id,
  );
}
