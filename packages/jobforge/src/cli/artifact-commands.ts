import { SHA256_HEADER, type Artifact } from '@controlplane/contracts';
import type { Command } from 'commander';
import { createHash } from 'node:crypto';
import { damaged, misused } from './cli-failure.js';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { printJson } from './json-output.js';
import { printTable, type Column } from './table.js';
import { toned } from './terminal.js';

interface Options extends ClientOptions {
  readonly output?: string;
}

const COLUMNS: readonly Column<Artifact>[] = [
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'BYTES', value: ({ bytes }) => String(bytes) },
  { title: 'TYPE', value: ({ contentType }) => contentType, flexible: true },
  { title: 'SHA-256', value: ({ sha256 }) => sha256.slice(0, 16) },
  { title: 'LEFT', value: ({ createdAt }) => createdAt },
];

/** Passes a body on, and breaks off at its end where it is not what was announced. */
async function* verified(reply: Response): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of (reply.body ?? []) as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    yield chunk;
  }
  const expected = reply.headers.get(SHA256_HEADER);
  if (expected !== null && hash.digest('hex') !== expected)
    throw damaged('The file arrived damaged: its SHA-256 is another than announced.', 'Download it again.');
}

function addDownload(job: Command, context: CliContext): void {
  asClient(job.command('download <id> <name>'))
    .description('download a file that a job has left')
    .option('-o, --output <path>', 'write it here (default: its name, in this folder)')
    .addHelpText('after', '\nA file that is there is not written over.\nWith --json: {"path":…}.')
    .action(async (id: string, name: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const path = options.output ?? name;
      const reply = await client.open('getArtifact', { id, name });
      try {
        await context.saveFile(path, verified(reply));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
          throw misused(`${path} exists already.`, 'Name another file with --output.');
        throw error;
      }
      if (json) printJson(terminal, 'job download', { path });
      else terminal.out(`${name} is in ${path}`);
    });
}

/** `jobforge job artifacts` and `jobforge job download` */
export function addArtifactCommands(job: Command, context: CliContext): void {
  asClient(job.command('artifacts <id>'))
    .description('list the files that a job has left')
    .addHelpText('after', '\nWith --json: a list as `GET /jobs/:id/artifacts` answers it.')
    .action(async (id: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const artifacts = await client.call('listArtifacts', { params: { id } });
      if (json) return printJson(terminal, 'job artifacts', artifacts);
      if (artifacts.length === 0) return terminal.out(toned(terminal, 'dim', 'it has left no file'));
      printTable(terminal, COLUMNS, artifacts);
    });
  addDownload(job, context);
}
