import type { JobBatchEntry, RequestOf } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { CliFailure, misused } from './cli-failure.js';
import { asClient, sessionOf, type Session, type ClientOptions } from './client-command.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { printJson } from './json-output.js';
import { choice, integer } from './option-values.js';
import { printableLine } from './printable.js';
import { moment } from './moment.js';
import { toned } from './terminal.js';

interface Options extends ClientOptions {
  readonly all?: 'failed' | 'cancelled';
  readonly type?: string;
  readonly code?: string;
  readonly since?: string;
  readonly limit: number;
  readonly dryRun?: boolean;
}

/** Jobs that one request asks for. */
const PAGE = 1_000;

/** `jobforge job retry` */
export function addJobRetry(job: Command, context: CliContext, settle: (code: ExitCode) => void): void {
  asClient(job.command('retry [ids...]'))
    .description('put jobs that failed or were cancelled back into the queue, under their ids')
    .option(
      '--all <failed|cancelled>',
      'every job that ended like this, instead of ids',
      choice(['failed', 'cancelled'] as const),
    )
    .option('--type <type>', 'with --all: only jobs of this type')
    .option('--code <code>', 'with --all: only jobs that ended with this error')
    .option('--since <time>', 'with --all: only jobs that ended since, such as 30m, 2h, 3d or an ISO time')
    .option('--limit <count>', 'with --all: at most this many', integer({ min: 1, max: 1_000_000 }), PAGE)
    .option('--dry-run', 'with --all: only say which they are')
    .addHelpText(
      'after',
      `
Attempts and events go on where they ended; retries are counted anew.
With --json: {"jobs":[{"id":…,"status":…} or {"id":…,"error":…}, …]}. The exit code is 1 where a job was left as it was.`,
    )
    .action(async (ids: readonly string[], options: Options) => {
      const session = sessionOf(context, options);
      const entries = await retried(session, ids, options);
      settle(tell(session, entries, options));
    });
}

function retried(session: Session, ids: readonly string[], options: Options): Promise<JobBatchEntry[]> {
  if (options.all === undefined) {
    if (options.type ?? options.code ?? options.since ?? options.dryRun)
      throw misused('--type, --code, --since and --dry-run choose among all jobs: add --all failed.');
    if (ids.length === 0) throw misused('No job is named: give ids, or --all failed.');
    return retryEach(session, ids);
  }
  if (ids.length > 0) throw misused('Give ids or --all, not both.');
  return retryAll(session, options.all, options);
}

async function retryEach({ client }: Session, ids: readonly string[]): Promise<JobBatchEntry[]> {
  const entries: JobBatchEntry[] = [];
  for (const id of ids) {
    try {
      const { status } = await client.call('retryJob', { params: { id } });
      entries.push({ id, status });
    } catch (error) {
      if (!(error instanceof CliFailure) || error.exitCode !== EXIT.failed) throw error;
      entries.push({ id, error: error.envelope });
    }
  }
  return entries;
}

async function retryAll(
  { client, context }: Session,
  status: 'failed' | 'cancelled',
  { type, code, since, limit, dryRun = false }: Options,
): Promise<JobBatchEntry[]> {
  const filter: RequestOf<'retryJobs'> = {
    status,
    dryRun,
    ...(type === undefined ? {} : { type }),
    ...(code === undefined ? {} : { code }),
    ...(since === undefined ? {} : { since: moment(since, context.now()) }),
  };
  const entries: JobBatchEntry[] = [];
  let cursor: string | undefined;
  do {
    const body = { ...filter, limit: Math.min(PAGE, limit - entries.length), ...(cursor && { cursor }) };
    const page = await client.call('retryJobs', { body });
    entries.push(...page.jobs);
    cursor = page.nextCursor;
  } while (cursor !== undefined && entries.length < limit);
  return entries;
}

function tell({ terminal, json }: Session, entries: readonly JobBatchEntry[], options: Options): ExitCode {
  const failures = entries.filter((entry) => 'error' in entry);
  const code = failures.length > 0 ? EXIT.failed : EXIT.ok;
  if (json) {
    printJson(terminal, 'job retry', { jobs: [...entries] });
    return code;
  }
  if (entries.length === 0) terminal.out(toned(terminal, 'dim', `no job that ${options.all} matches`));
  for (const entry of entries) {
    if ('error' in entry) {
      const { code: why, message } = entry.error;
      terminal.err(
        `${toned(terminal, 'bad', '✗')} job ${entry.id ?? ''}  ${printableLine(`${why}: ${message}`)}`,
      );
    } else terminal.out(`job ${entry.id}  ${options.dryRun ? entry.status : 'queued again'}`);
  }
  const count = entries.length - failures.length;
  if (options.dryRun && count > 0)
    terminal.out(toned(terminal, 'dim', `${count} would be queued again: leave --dry-run out`));
  return code;
}
