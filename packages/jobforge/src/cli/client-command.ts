import { DEFAULTS } from '@controlplane/contracts';
import type { Command } from 'commander';
import { createApiClient, type ApiClient } from './api-client.js';
import type { CliContext } from './cli-context.js';
import { tokenSource } from './client-token.js';
import type { Terminal } from './terminal.js';

/** What every command that asks a running JobForge has at hand. */
export interface Session {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly context: CliContext;
  /** Whether programs read the output. */
  readonly json: boolean;
}

/** What {@link asClient} gives a command. */
export interface ClientOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

export const DEFAULT_URL = `http://127.0.0.1:${DEFAULTS.jobForgePort}`;

/** Gives a command the options that all of them share. */
export function asClient(command: Command): Command {
  return command
    .option('--url <url>', `where JobForge listens (default: $JOBFORGE_URL, else ${DEFAULT_URL})`)
    .option('--token-file <path>', 'file of the token to ask with (default: $JOBFORGE_TOKEN, else none)')
    .option('--json', 'print JSON for programs');
}

/** Opens a session by a command's own options. */
export function sessionOf(context: CliContext, options: ClientOptions): Session {
  const url = options.url ?? (context.env['JOBFORGE_URL'] || DEFAULT_URL);
  const client = createApiClient({
    url,
    fetch: context.fetch,
    token: tokenSource(context, options.tokenFile),
  });
  return { client, terminal: context.terminal, context, json: options.json ?? false };
}
