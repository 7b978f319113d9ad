import type { AccessToken, TokenCreation } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { misused } from './cli-failure.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { printJson } from './json-output.js';
import { lengthMs } from './moment.js';
import { choice, gather, integer } from './option-values.js';
import { printTable, type Column } from './table.js';
import { toned } from './terminal.js';

interface CreateOptions extends ClientOptions {
  readonly role?: 'read' | 'submit' | 'admin';
  readonly enrollment?: boolean;
  readonly expires?: string;
  readonly capability?: readonly string[];
  readonly runner?: readonly string[];
  readonly machines?: number | 'any';
  readonly ephemeral?: boolean;
}

const MAX_MACHINES = 1_000_000;

function machines(text: string): number | 'any' {
  return text === 'any' ? text : integer({ min: 1, max: MAX_MACHINES })(text);
}

const given = (options: CreateOptions, names: readonly (keyof CreateOptions)[]): string | undefined => {
  const name = names.find((candidate) => options[candidate] !== undefined);
  return name && `--${name}`;
};

/** What is asked for; an option of the other kind is a misunderstanding, not something to leave out. */
function creationOf(name: string, options: CreateOptions): TokenCreation {
  const { role, enrollment, expires, capability, runner, machines: count } = options;
  const lifetime = expires === undefined ? {} : { lifetimeMs: lengthMs(expires) };
  if (enrollment) {
    const foreign = given(options, ['role', 'capability', 'runner']);
    if (foreign !== undefined)
      throw misused(
        `${foreign} goes with an API token: an enrollment token takes runners in, and allows nothing else.`,
      );
    const maxMachines = count === 'any' ? null : (count ?? 1);
    return {
      ...{ kind: 'enrollment', name, maxMachines, durable: !(options.ephemeral ?? false) },
      lifetimeMs: 3_600_000,
      ...lifetime,
    };
  }
  const foreign = given(options, ['machines', 'ephemeral']);
  if (foreign !== undefined) throw misused(`${foreign} goes with --enrollment.`);
  if (role === undefined)
    throw misused(
      'Say what the token is for: --role read, submit or admin for programs and people, or --enrollment to take runners in.',
    );
  return {
    ...{ kind: 'api', name, role },
    ...lifetime,
    ...(capability && { capabilities: [...capability] }),
    ...(runner && { runners: [...runner] }),
  };
}

function addCreate(token: Command, context: CliContext): void {
  asClient(token.command('create <name>'))
    .description('make a token, and print it this once')
    .option(
      '--role <role>',
      'for programs and people: read, submit or admin',
      choice(['read', 'submit', 'admin'] as const),
    )
    .option('--enrollment', 'to take runners in')
    .option(
      '--expires <time>',
      'over after this time, such as 90m, 12h or 30d (default: never; 1h with --enrollment)',
    )
    .option(
      '--capability <pattern>',
      'only jobs of these capabilities, such as image.*; again for more',
      gather,
    )
    .option('--runner <pattern>', 'only these runners, by name; again for more', gather)
    .option('--machines <count|any>', 'machines that may enroll with it (default: 1)', machines)
    .option('--ephemeral', 'its runners are gone when it is over: they are given no secret of their own')
    .addHelpText(
      'after',
      `
The token alone is written to stdout: TOKEN=$(jobforge token create ci --role submit).
With --json: the token with all that holds for it.`,
    )
    .action(async (name: string, options: CreateOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const created = await client.call('createToken', { body: creationOf(name, options) });
      if (json) return printJson(terminal, 'token create', created);
      terminal.out(created.token);
      terminal.err(toned(terminal, 'dim', `${scopeOf(created)}; it is shown this once`));
    });
}

function scopeOf(token: AccessToken): string {
  const over = token.expiresAt === undefined ? 'until it is revoked' : `until ${token.expiresAt}`;
  if (token.kind === 'enrollment') {
    const count = token.maxMachines;
    const who = count === null ? 'any number of machines' : count === 1 ? 'one machine' : `${count} machines`;
    return `"${token.name}" takes in ${who} ${over}`;
  }
  const only = [...(token.capabilities ?? []), ...(token.runners ?? []).map((name) => `runner ${name}`)];
  const limits = only.length === 0 ? '' : ` for ${only.join(', ')}`;
  return `"${token.name}" has the role ${token.role ?? '?'}${limits} ${over}`;
}

function allows({ kind, role, capabilities, runners, machines: known, maxMachines }: AccessToken): string {
  if (kind === 'enrollment') return `enrolls (${known?.length ?? 0} of ${maxMachines ?? 'any'})`;
  return [role, ...(capabilities ?? []), ...(runners ?? [])].join(' ');
}

const COLUMNS: readonly Column<AccessToken>[] = [
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'ALLOWS', value: allows, flexible: true },
  { title: 'EXPIRES', value: ({ expiresAt }) => expiresAt ?? 'never' },
];

/** `jobforge token …` */
export function addTokenCommands(program: Command, context: CliContext): void {
  const token = program
    .command('token')
    .description('credentials: of programs and people, and those that take runners in');
  addCreate(token, context);
  asClient(token.command('list'))
    .description('list tokens, without what is secret')
    .addHelpText('after', '\nWith --json: a list as `GET /tokens` answers it.')
    .action(async (options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const tokens = await client.call('listTokens');
      if (json) return printJson(terminal, 'token list', tokens);
      if (tokens.length === 0) return terminal.out(toned(terminal, 'dim', 'there is no token'));
      printTable(terminal, COLUMNS, tokens);
    });
  asClient(token.command('revoke <name>'))
    .description('end a token; runners that came with it are disconnected')
    .addHelpText('after', '\nWith --json: the token.')
    .action(async (name: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const revoked = await client.call('revokeToken', { params: { id: name } });
      if (json) return printJson(terminal, 'token revoke', revoked);
      terminal.out(`${revoked.name} is revoked`);
    });
}
