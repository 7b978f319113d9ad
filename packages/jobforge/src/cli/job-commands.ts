import { JobStatus, type JobEvent, type JobResponse } from '@controlplane/contracts';
import type { Command } from 'commander';
import { addArtifactCommands } from './artifact-commands.js';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type Session, type ClientOptions } from './client-command.js';
import { spoken } from './durations.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { printFields } from './fields.js';
import { eventLine, notificationWords, resultWords } from './job-lines.js';
import { addJobRetry } from './job-retry.js';
import { addJobSubmit } from './job-submit.js';
import { addJobWhy } from './job-why.js';
import { printJson } from './json-output.js';
import { choice, integer } from './option-values.js';
import { printTable } from './table.js';
import { toned } from './terminal.js';
import { watchJob } from './watch-job.js';

interface ListOptions extends ClientOptions {
  readonly status?: JobStatus;
  readonly type?: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** `jobforge job …` */
export function addJobCommands(
  program: Command,
  context: CliContext,
  settle: (code: ExitCode) => void,
): void {
  const job = program.command('job').description('submit and watch jobs');
  addJobSubmit(job, context, settle);
  asClient(job.command('list'))
    .description('list jobs, newest first')
    .option(
      '--status <status>',
      `only jobs in this state: ${JobStatus.options.join(', ')}`,
      choice(JobStatus.options),
    )
    .option('--type <type>', 'only jobs of this type')
    .option('--limit <count>', 'at most this many, up to 1000', integer({ min: 1, max: 1000 }), 20)
    .option('--cursor <cursor>', 'go on where the last page ended')
    .addHelpText('after', '\nWith --json: {"items":[job, …],"nextCursor":…} as `GET /jobs` answers it.')
    .action((options: ListOptions) => listJobs(sessionOf(context, options), options));
  asClient(job.command('show <id>'))
    .description('show one job with its result')
    .addHelpText('after', '\nWith --json: the job as `GET /jobs/:id` answers it.')
    .action(async (id: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const shown = await client.call('showJob', { params: { id } });
      if (json) printJson(terminal, 'job show', shown);
      else printFields(terminal, fieldsOf(shown));
    });
  addJobRetry(job, context, settle);
  addArtifactCommands(job, context);
  addJobWhy(job, context);
  asClient(job.command('cancel <id>'))
    .description('cancel a job that has not ended')
    .addHelpText('after', '\nWith --json: the job.')
    .action(async (id: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const cancelled = await client.call('cancelJob', { params: { id } });
      if (json) printJson(terminal, 'job cancel', cancelled);
      // A running job ends when its runner has stopped it.
      else
        terminal.out(
          `job ${cancelled.id}  ${cancelled.status === 'cancelled' ? 'cancelled' : `${cancelled.status}, told to stop`}`,
        );
    });
  asClient(job.command('logs <id>'))
    .description('show what a job has logged')
    .option('-f, --follow', 'go on until the job has ended')
    .addHelpText('after', '\nWith --json: the events of the types job.log and job.notification, one a line.')
    .action((id: string, options: ClientOptions & { follow?: boolean }) =>
      logsOf(sessionOf(context, options), id, options.follow ?? false).then(settle),
    );
}

async function listJobs(
  { client, terminal, json, context }: Session,
  { status, type, limit, cursor }: ListOptions,
): Promise<void> {
  const page = await client.call('listJobs', { query: { status, type, limit: String(limit), cursor } });
  if (json) return printJson(terminal, 'job list', page);
  if (page.items.length === 0)
    return terminal.out(toned(terminal, 'dim', status ? `no job is ${status}` : 'no jobs yet'));
  const now = context.now();
  printTable<JobResponse>(
    terminal,
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'STATUS', value: ({ status: state }) => state },
      { title: 'CAPABILITY', value: ({ request }) => request.payload.type, flexible: true },
      {
        title: 'AGE',
        value: ({ request }) => spoken(Math.max(0, now - Date.parse(request.metadata.createdAt))),
      },
      { title: 'NOTE', value: noteOf, flexible: true },
    ],
    page.items,
  );
  if (page.nextCursor !== undefined)
    terminal.out(toned(terminal, 'dim', `more: --cursor ${page.nextCursor}`));
}

function noteOf({ status, error, result, waitingFor }: JobResponse): string {
  const failure = result?.error ?? error;
  if (status === 'completed') return result ? `in ${spoken(result.metadata.durationMs)}` : '';
  return failure ? `${failure.code}: ${failure.message}` : (waitingFor ?? '');
}

function fieldsOf(job: JobResponse): [string, string | undefined][] {
  const { request, result, progress } = job;
  return [
    ['id', job.id],
    ['status', job.status],
    ['waiting for', job.waitingFor],
    ['capability', request.payload.type],
    ['type', request.type === request.payload.type ? undefined : request.type],
    ['priority', String(request.priority)],
    ['input', JSON.stringify(request.payload.data)],
    ['progress', progress && `${Math.round(progress.fraction * 100)} % ${progress.message ?? ''}`.trimEnd()],
    ['attempts', job.attempts === undefined ? undefined : String(job.attempts)],
    ['next attempt', job.nextAttemptAt],
    ['runner', job.runnerId],
    ['created', request.metadata.createdAt],
    ['ended', result?.metadata.completedAt],
    ['took', result && spoken(result.metadata.durationMs)],
    ['result', result?.success ? resultWords(job) : undefined],
    ...(job.notifications ?? []).map((said): [string, string] => ['notification', notificationWords(said)]),
    ...webhookFields(job),
    ['error', errorText(result?.error ?? job.error)],
  ];
}

/** Whom the end has not been told yet, and why. */
function webhookFields({ webhooks = [] }: JobResponse): [string, string][] {
  return webhooks.map(({ url, state, attempts, error, nextAttemptAt }) => {
    const tries = `${attempts} attempt${attempts === 1 ? '' : 's'}`;
    const more = [error, nextAttemptAt && `next ${nextAttemptAt}`].filter(Boolean).join(', ');
    return ['webhook', `${url} ${state} after ${tries}${more === '' ? '' : ` (${more})`}`];
  });
}

const errorText = (error: JobResponse['error']): string | undefined =>
  error && `${error.code}: ${error.message}`;

interface LogOptions {
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

async function showLogs(
  { client, terminal, json }: Session,
  id: string,
  options: LogOptions,
): Promise<ExitCode> {
  const isLog = ({ type }: JobEvent): boolean => type === 'job.log' || type === 'job.notification';
  for await (const event of client.events(id, options)) {
    if (!isLog(event)) continue;
    if (json) printJson(terminal, 'job logs', event);
    else terminal.out(eventLine(terminal, event) ?? '');
  }
  return EXIT.ok;
}

/** Only what is followed has something to be told when the watching is interrupted. */
function logsOf(session: Session, id: string, follow: boolean): Promise<ExitCode> {
  if (!follow) return showLogs(session, id, { follow });
  return watchJob(session, id, (signal) => showLogs(session, id, { follow, signal }));
}
