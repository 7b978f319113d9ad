import type { SecretEntry } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { misused } from './cli-failure.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { unreadable } from './job-input.js';
import { printJson } from './json-output.js';
import { printTable, type Column } from './table.js';
import { toned } from './terminal.js';

interface Options extends ClientOptions {
  readonly capability?: string;
  readonly file?: string;
}

/** Reads a value from a file or standard input: an argument could be seen by every process of the machine. */
async function valueOf({ readFile, readStdin }: CliContext, file: string | undefined): Promise<string> {
  let text: string;
  try {
    text = file === undefined || file === '-' ? await readStdin() : await readFile(file);
  } catch (error) {
    throw misused(unreadable(file ?? 'standard input', error));
  }
  // Editors and echo end a file with a line break that nobody means.
  const value = text.replace(/\r?\n$/, '');
  if (value === '')
    throw misused('the value is empty: write it to standard input, or name a file with --file.');
  return value;
}

const COLUMNS: readonly Column<SecretEntry>[] = [
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'FOR', value: ({ capability }) => capability ?? 'all capabilities', flexible: true },
  { title: 'SET', value: ({ updatedAt }) => updatedAt },
];

function addSet(secret: Command, context: CliContext): void {
  asClient(secret.command('set <name>'))
    .description('set a secret; its value is read from standard input, or from a file')
    .option('--file <path>', 'read the value from this file')
    .option('--capability <id>', 'only for this capability; it goes before the one that is for all')
    .addHelpText(
      'after',
      `
The value is never an argument, where every process of the machine could see it:
  printf %s "$API_KEY" | jobforge secret set API_KEY
One line break at its end is left out.
With --json: the secret without its value.`,
    )
    .action(async (name: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const value = await valueOf(context, options.file);
      const { capability } = options;
      const body = { value, ...(capability !== undefined && { capability }) };
      const entry = await client.call('setSecret', { params: { id: name }, body });
      if (json) return printJson(terminal, 'secret set', entry);
      terminal.out(`${entry.name} is set for ${entry.capability ?? 'all capabilities'}`);
    });
}

/** `jobforge secret …` */
export function addSecretCommands(program: Command, context: CliContext): void {
  const secret = program
    .command('secret')
    .description('values that capabilities need: stored encrypted, sent with an execution alone');
  addSet(secret, context);
  asClient(secret.command('list'))
    .description('list secrets, without their values')
    .addHelpText('after', '\nWith --json: a list as `GET /secrets` answers it.')
    .action(async (options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const secrets = await client.call('listSecrets');
      if (json) return printJson(terminal, 'secret list', secrets);
      if (secrets.length === 0) return terminal.out(toned(terminal, 'dim', 'no secret is set'));
      printTable(terminal, COLUMNS, secrets);
    });
  asClient(secret.command('delete <name>'))
    .description('forget a secret')
    .option('--capability <id>', 'the one that is for this capability alone')
    .addHelpText('after', '\nWith --json: {"name":…,"deleted":true}.')
    .action(async (name: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const query = { capability: options.capability };
      const deleted = await client.call('deleteSecret', { params: { id: name }, query });
      if (json) return printJson(terminal, 'secret delete', deleted);
      terminal.out(`${deleted.name} is forgotten`);
    });
}
