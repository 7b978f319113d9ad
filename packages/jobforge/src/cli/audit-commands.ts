import type { AuditEntry } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { printJson } from './json-output.js';
import { integer } from './option-values.js';
import { printTable, type Column } from './table.js';
import { toned } from './terminal.js';

interface Options extends ClientOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly cursor?: string;
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'AT', value: ({ at }) => at },
  { title: 'WHO', value: ({ actor }) => actor, flexible: true },
  { title: 'DID', value: ({ action }) => action },
  { title: 'TO', value: ({ subject }) => subject, flexible: true },
  { title: 'DETAIL', value: ({ detail }) => (detail ? JSON.stringify(detail) : ''), flexible: true },
];

/** `jobforge audit …` */
export function addAuditCommands(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('who did what: an append-only record');
  asClient(audit.command('list'))
    .description('list what was done, newest first')
    .option('--actor <who>', 'only what this one did, such as token:ci')
    .option('--action <what>', 'only this, such as secret.set')
    .option('--subject <subject>', 'only what was done to this, such as secret:API_KEY')
    .option('--since <time>', 'only from this time on, such as 2030-01-31T12:00:00Z')
    .option('--until <time>', 'only up to this time')
    .option('--limit <count>', 'at most so many', integer({ min: 1, max: 1000 }), 50)
    .option('--cursor <cursor>', 'the page that follows another: its nextCursor')
    .addHelpText('after', '\nWith --json: {"entries":[…],"nextCursor":…} as `GET /audit` answers it.')
    .action(async (options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const { actor, action, subject, since, until, cursor } = options;
      const query = { actor, action, subject, since, until, cursor, limit: String(options.limit) };
      const page = await client.call('listAudit', { query });
      if (json) return printJson(terminal, 'audit list', page);
      if (page.entries.length === 0) return terminal.out(toned(terminal, 'dim', 'nothing was done yet'));
      printTable(terminal, COLUMNS, page.entries);
      if (page.nextCursor !== undefined)
        terminal.out(toned(terminal, 'dim', `more: --cursor ${page.nextCursor}`));
    });
}
