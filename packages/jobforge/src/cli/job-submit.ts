import type { JobResponse, RequestOf } from '@controlplane/contracts';
import type { Command } from 'commander';
import { CliFailure, refused } from './cli-failure.js';
import type { CliContext } from './cli-context.js';
import { capabilityOffers } from '../model/capability-offers.js';
import { asClient, sessionOf, type Session, type ClientOptions } from './client-command.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { exitCodeOf, followJob } from './follow-job.js';
import { withFiles } from './job-files.js';
import { readJobInput } from './job-input.js';
import { endingLine, standingWords } from './job-lines.js';
import { printJson } from './json-output.js';
import { readCapability, termsIn, timesIn, withTerms, type TermOptions } from './job-terms.js';
import { gather, integer } from './option-values.js';
import { printableLine } from './printable.js';
import { waitingReason } from './waiting-reason.js';
import { watchJob } from './watch-job.js';

interface Options extends TermOptions, ClientOptions {
  readonly follow?: boolean;
  readonly wait?: boolean;
  readonly id?: string;
  readonly type?: string;
  readonly priority?: number;
  readonly timeout?: number;
  readonly webhook?: string;
  readonly file?: readonly string[];
}

/** `jobforge job submit` */
export function addJobSubmit(job: Command, context: CliContext, settle: (code: ExitCode) => void): void {
  const command = asClient(job.command('submit <capability> [input]'))
    .description('submit a job; input is JSON, @file, or - for standard input')
    .option('-f, --follow', 'show what happens until the job has ended')
    .option('--wait', 'wait for the end and show it alone')
    .option('--id <id>', 'the job’s own id: submitting the same job twice runs it once')
    .option('--type <type>', 'job type (default: the capability)')
    .option('--priority <0-100>', 'higher first (default: 50)', integer({ min: 0, max: 100 }))
    .option(
      '--timeout <ms>',
      'limit of one attempt (default: the capability’s own)',
      integer({ min: 1, max: 2_147_483_647 }),
    )
    .option(
      '--file <name=path>',
      'a file for the job, by the name that its handler asks for; again for more',
      gather,
    )
    .option('--webhook <url>', 'tell this URL how the job ends');
  withTerms(command)
    .addHelpText(
      'after',
      `
A capability may name the versions that will do, as npm writes them: image.resize@^1.2.
A file that JobForge has from before is not sent again.
With --json: the job. With --follow too, a line each: {"event":"submitted","job":…},
{"event":"job-event","data":…} for everything that happens, {"event":"ended","job":…};
{"event":"interrupted","jobId":…} in its place where Ctrl-C ends the watching.
With --follow or --wait the exit code is 1 unless the job completed.`,
    )
    .action(async (capability: string, input: string | undefined, options: Options) => {
      const session = sessionOf(context, options);
      const data = await readJobInput(input, context);
      const body = bodyOf(session, { capability, data }, options);
      const accepted = await submit(session, await withFiles(session, body, options.file ?? []));
      settle(await outcome(session, accepted, options));
    });
}

type Body = RequestOf<'submitJob'>;

function bodyOf(
  { context }: Session,
  given: { readonly capability: string; readonly data: Body['payload']['data'] },
  options: Options,
): Body {
  const { id, type, priority, timeout, webhook } = options;
  const { capability, version } = readCapability(given.capability);
  return {
    type: type ?? capability,
    payload: { type: capability, data: given.data },
    metadata: { source: 'cli', ...timesIn(options, context.now()) },
    ...termsIn(options, version),
    ...(id === undefined ? {} : { id }),
    ...(priority === undefined ? {} : { priority }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(webhook === undefined ? {} : { webhook: { url: webhook } }),
  };
}

async function submit({ client }: Session, body: Body): Promise<JobResponse> {
  try {
    return await client.call('submitJob', { body });
  } catch (error) {
    if (!(error instanceof CliFailure) || error.exitCode !== EXIT.failed) throw error;
    const offer =
      error.envelope.code === 'VALIDATION_ERROR' ? await offerOf(client, body.payload.type) : undefined;
    throw refused(
      error.envelope,
      offer === undefined ? 'nothing was queued' : `${offer}; nothing was queued`,
    );
  }
}

async function offerOf(client: Session['client'], capability: string): Promise<string | undefined> {
  const offers = capabilityOffers(await client.call('listRunners').catch(() => []));
  const offer = offers.findLast(({ id }) => id === capability);
  return offer && `${offer.id}@${offer.version}`;
}

async function outcome(session: Session, job: JobResponse, options: Options): Promise<ExitCode> {
  const { terminal, json } = session;
  if (options.follow) return watchJob(session, job.id, (signal) => followJob(session, job, signal));
  if (!options.wait) {
    if (json) printJson(terminal, 'job submit', job);
    else await announce(session, job);
    return EXIT.ok;
  }
  if (!json) await announce(session, job);
  return watchJob(session, job.id, (signal) => waitForJob(session, job, signal));
}

async function waitForJob(
  { client, terminal, json }: Session,
  job: JobResponse,
  signal: AbortSignal,
): Promise<ExitCode> {
  try {
    for await (const event of client.events(job.id, { signal })) {
      const words = standingWords(event);
      if (words !== undefined) terminal.status?.(words);
    }
  } finally {
    terminal.status?.(undefined);
  }
  const ended = await client.call('showJob', { params: { id: job.id } });
  if (json) printJson(terminal, 'job submit', ended);
  else terminal.out(endingLine(terminal, ended));
  return exitCodeOf(ended);
}

async function announce({ client, terminal }: Session, job: JobResponse): Promise<void> {
  const reason = await waitingReason(client, job);
  terminal.out(`job ${job.id}  ${job.status}${reason ? ` · ${printableLine(reason)}` : ''}`);
}
