import type { Command } from 'commander';
import { isLoopback } from '../api/loopback.js';
import type { CliContext } from './cli-context.js';
import { misused } from './cli-failure.js';
import { serveForge } from './serve-forge.js';
import { asServer, type ServerOptions } from './server-options.js';
import { placeOf } from './store-option.js';

const TRY = `npx jobforge job submit <capability> '{…}' --follow`;

/** `jobforge dev` */
export function addDevCommand(program: Command, context: CliContext): void {
  asServer(program.command('dev'), 'loopback address to listen on')
    .description('run JobForge on this machine, open to this machine alone')
    .action((options: ServerOptions) => dev(context, options));
}

async function dev(context: CliContext, options: ServerOptions): Promise<void> {
  const { host, port, allowHost: allowedHosts = [], accept = [], json = false } = options;
  if (!isLoopback(host)) {
    throw misused(
      `jobforge dev is open to whoever reaches it, so it listens on loopback alone: --host ${host} is not 127.0.0.1, ::1 or localhost. \`jobforge serve\` asks for credentials.`,
    );
  }
  const { shown, ...place } = placeOf(options);
  await serveForge(context, {
    command: 'dev',
    // What is tried out is told at this machine.
    options: { host, port, allowedHosts, accept, ...place, allowPrivateWebhooks: true },
    ...{ shown, json, hint: () => TRY },
  });
}
