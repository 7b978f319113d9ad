import type { Command } from 'commander';
import { isLoopback } from '../api/loopback.js';
import type { CliContext, ForgeOptions } from './cli-context.js';
import { misused } from './cli-failure.js';
import { serveForge } from './serve-forge.js';
import { asServer, type ServerOptions } from './server-options.js';
import { placeOf } from './store-option.js';

interface ServeOptions extends ServerOptions {
  readonly auth: boolean;
  readonly adminTokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `jobforge serve` */
export function addServeCommand(program: Command, context: CliContext): void {
  asServer(program.command('serve'), 'address to listen on; 0.0.0.0 for all')
    .description('run JobForge for others: every request carries a credential')
    .option('--admin-token-file <path>', 'file of the token that an operator begins with')
    .option('--tls-cert <path>', 'certificate in PEM, with those between it and a known root: HTTPS alone')
    .option('--tls-key <path>', 'key of the certificate, in PEM')
    .option('--no-auth', 'ask nobody for a credential: on loopback alone')
    .addHelpText(
      'after',
      `
The database may stand in DATABASE_URL instead of --store, where no process of the machine sees it.
The admin token is read from --admin-token-file, $JOBFORGE_ADMIN_TOKEN or the file $JOBFORGE_ADMIN_TOKEN_FILE, else
made in the data folder (admin.token) at the first start. With it, \`jobforge token create\` makes all others.`,
    )
    .action((options: ServeOptions) => serve(context, options));
}

async function certificate(
  { readFile }: CliContext,
  { tlsCert, tlsKey }: ServeOptions,
): Promise<ForgeOptions['tls']> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw misused('A certificate goes with its key: give both --tls-cert and --tls-key.');
  const read = async (flag: string, path: string): Promise<string> =>
    readFile(path).catch((error: unknown) => {
      throw misused(
        `${flag} "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  return { cert: await read('--tls-cert', tlsCert), key: await read('--tls-key', tlsKey) };
}

async function serve(context: CliContext, options: ServeOptions): Promise<void> {
  const {
    host,
    port,
    allowHost: allowedHosts = [],
    accept = [],
    auth,
    adminTokenFile,
    json = false,
  } = options;
  if (!auth && !isLoopback(host)) {
    throw misused(
      `--no-auth lets everybody in who reaches JobForge, so it goes with loopback alone: --host ${host} is not 127.0.0.1, ::1 or localhost.`,
    );
  }
  const database = options.memory ? undefined : context.env['DATABASE_URL'];
  const { shown, ...place } = placeOf({
    ...options,
    ...(options.store === undefined && database ? { store: database } : {}),
  });
  const tls = await certificate(context, options);
  await serveForge(context, {
    command: 'serve',
    options: {
      ...{ host, port, allowedHosts, accept, ...place },
      ...(auth && { auth: { adminTokenFile } }),
      ...(tls && { tls }),
    },
    ...{ shown, json },
    hint: ({ adminTokenFile: made }) =>
      `${made === undefined ? '' : `JOBFORGE_TOKEN_FILE=${made} `}npx jobforge token create <name> --enrollment`,
  });
}
