import { SHA256_HEADER, type JobResponse } from '@controlplane/contracts';
import type { Command } from 'commander';
import { createHash } from 'node:crypto';
import type { CliContext } from './cli-context.js';
import { type CliFailure, damaged, failed, misused } from './cli-failure.js';
import { asClient, sessionOf, type ClientOptions, type Session } from './client-command.js';
import { printJson } from './json-output.js';

interface Options extends ClientOptions {
  readonly output?: string;
  readonly force?: boolean;
}

/** What is to be saved: under which name where none is given, and what it is called. */
interface Download {
  readonly fileName: string;
  readonly title: string;
  readonly body: AsyncIterable<Uint8Array>;
}

async function* piecesOf(reply: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* (reply.body ?? []) as AsyncIterable<Uint8Array>;
  } catch {
    throw damaged('The file broke off before its end.', 'Download it again.');
  }
}

/** Passes a body on, and breaks off at its end where it is not what was announced. */
async function* verified(reply: Response, announced?: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of piecesOf(reply)) {
    hash.update(piece);
    yield piece;
  }
  const expected = announced ?? reply.headers.get(SHA256_HEADER);
  if (expected !== null && hash.digest('hex') !== expected)
    throw damaged('The file arrived damaged: its SHA-256 is another than announced.', 'Download it again.');
}

async function artifactOf({ client }: Session, id: string, name: string): Promise<Download> {
  const reply = await client.open('getArtifact', { params: { id, name } });
  return { fileName: name, title: name, body: verified(reply) };
}

async function* bytesOf(data: unknown): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(data));
}

function noResult({ id, status }: JobResponse): CliFailure {
  return failed(
    'NO_RESULT',
    `The job ${id} has no result: it is ${status}.`,
    'jobforge job show says where it stands; files that it has left are in jobforge job artifacts.',
  );
}

/** The result of a job, as JSON: the file that it is, or what its record holds. */
async function resultOf({ client }: Session, id: string): Promise<Download> {
  const job = await client.call('showJob', { params: { id } });
  const { result } = job;
  const named = { fileName: `${id.replaceAll(':', '_')}.json`, title: `the result of ${id}` };
  if (result?.dataFile !== undefined) {
    const { sha256 } = result.dataFile;
    const reply = await client.open('getFile', { params: { sha256 }, query: { job: id } });
    return { ...named, body: verified(reply, sha256) };
  }
  if (result?.data === undefined) throw noResult(job);
  return { ...named, body: bytesOf(result.data) };
}

/** `jobforge job download` */
export function addDownload(job: Command, context: CliContext): void {
  asClient(job.command('download <id> [name]'))
    .description('download the result of a job as JSON, or a file that it has left')
    .option(
      '-o, --output <path>',
      'write it here (default: the name of the file, else <id>.json, in this folder)',
    )
    .option('--force', 'write over a file that is there')
    .addHelpText(
      'after',
      '\nWhat arrives is compared with its SHA-256; half a file is never left.\nWith --json: {"path":…}.',
    )
    .action(async (id: string, name: string | undefined, options: Options) => {
      const session = sessionOf(context, options);
      const { fileName, title, body } = await (name === undefined
        ? resultOf(session, id)
        : artifactOf(session, id, name));
      const path = options.output ?? fileName;
      try {
        await context.saveFile(path, body, { overwrite: options.force ?? false });
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
          throw misused(
            `${path} exists already.`,
            'Name another file with --output, or write over it with --force.',
          );
        throw error;
      }
      if (session.json) printJson(session.terminal, 'job download', { path });
      else session.terminal.out(`${title} is in ${path}`);
    });
}
