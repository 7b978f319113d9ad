import type { Artifact } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { addDownload } from './job-download.js';
import { printJson } from './json-output.js';
import { printTable, type Column } from './table.js';
import { toned } from './terminal.js';

const COLUMNS: readonly Column<Artifact>[] = [
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'BYTES', value: ({ bytes }) => String(bytes) },
  { title: 'TYPE', value: ({ contentType }) => contentType, flexible: true },
  { title: 'SHA-256', value: ({ sha256 }) => sha256.slice(0, 16) },
  { title: 'LEFT', value: ({ createdAt }) => createdAt },
];

/** `jobforge job artifacts` and `jobforge job download` */
export function addArtifactCommands(job: Command, context: CliContext): void {
  asClient(job.command('artifacts <id>'))
    .description('list the files that a job has left')
    .addHelpText('after', '\nWith --json: a list as `GET /jobs/:id/artifacts` answers it.')
    .action(async (id: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const artifacts = await client.call('listArtifacts', { params: { id } });
      if (json) return printJson(terminal, 'job artifacts', artifacts);
      if (artifacts.length === 0) return terminal.out(toned(terminal, 'dim', 'it has left no file'));
      printTable(terminal, COLUMNS, artifacts);
    });
  addDownload(job, context);
}
