import { parseArgs } from 'node:util';

const OPTIONS = {
  host: { type: 'string', multiple: true },
  name: { type: 'string' },
  shell: { type: 'string' },
  allow: { type: 'string', multiple: true },
  script: { type: 'boolean' },
  label: { type: 'string', multiple: true },
  concurrency: { type: 'string' },
  'max-dispatches': { type: 'string' },
  'idle-timeout': { type: 'string' },
  'max-uptime': { type: 'string' },
  drain: { type: 'string' },
  'state-dir': { type: 'string' },
  'cache-dir': { type: 'string' },
  'data-plane-url': { type: 'string' },
  'no-reconnect': { type: 'boolean' },
  'orchestrator-url': { type: 'string' },
  'poll-interval': { type: 'string' },
  'container-image': { type: 'string' },
  'container-runtime': { type: 'string' },
  'container-network': { type: 'string' },
  'victoria-home': { type: 'string' },
  'env-file': { type: 'string' },
  envfile: { type: 'string' },
  'allow-insecure-envfile': { type: 'boolean' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What the command was told. */
export interface CommandArguments {
  readonly command: string;
  readonly values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
}

/** Options of the runners that this one replaces that hold a secret, and where it belongs instead. */
const SECRETS: Readonly<Record<string, string>> = {
  '--token': 'SWAMP_WORKER_TOKEN or SWAMP_WORKER_TOKEN_FILE',
  '--server-token': 'SWAMP_SERVER_TOKEN or SWAMP_SERVER_TOKEN_FILE',
  '--registration-token': 'REGISTRATION_TOKEN or REGISTRATION_TOKEN_FILE',
};

/**
 * Reads the arguments; without a command it is `run`.
 * @throws Error with what is wrong, in words
 */
export function readArguments(args: readonly string[]): CommandArguments {
  // Never quoted: whoever gave it has shown it to every user of the machine, but need not show it to the log too.
  const secret = args.map((arg) => arg.split('=', 1)[0] ?? '').find((name) => Object.hasOwn(SECRETS, name));
  if (secret !== undefined)
    throw new Error(
      `${secret} would show the secret to every user of this machine; set ${SECRETS[secret]} instead, in the environment or in the file of --envfile`,
    );
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [command = 'run', ...rest] = positionals;
  if (rest.length > 0) throw new Error(`"${rest[0]}" is one argument too many`);
  return { command, values };
}
