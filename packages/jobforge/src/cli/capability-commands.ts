import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { printJson } from './json-output.js';
import { printTable } from './table.js';
import { toned } from './terminal.js';

/** `jobforge capability …` */
export function addCapabilityCommands(program: Command, context: CliContext): void {
  const capability = program.command('capability').description('what registered runners can do');
  asClient(capability.command('list'))
    .description('list capabilities and who offers them')
    .addHelpText('after', '\nWith --json: a list of capabilities as `GET /capabilities` answers it.')
    .action(async (options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const offers = await client.call('listCapabilities');
      if (json) return printJson(terminal, 'capability list', offers);
      if (offers.length === 0) return terminal.out(toned(terminal, 'dim', 'no runner is registered yet'));
      printTable(
        terminal,
        [
          { title: 'CAPABILITY', value: ({ id }) => id, flexible: true },
          { title: 'VERSION', value: ({ version }) => version },
          { title: 'EFFECTS', value: ({ effects }) => effects },
          {
            title: 'RUNNERS',
            value: ({ runners }) => runners.map(({ name }) => name).join(', '),
            flexible: true,
          },
          { title: 'DESCRIPTION', value: ({ description }) => description, flexible: true },
        ],
        offers,
      );
    });
}
