import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testServerOptions } from './options.js';

/** A PostgreSQL server for tests. */
export interface PostgresCluster {
  /** The URL of a schema that nothing has used. */
  newUrl(): string;
  /** Ends the server as a crash would, where it is the tests' own. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly own: boolean;
}

export interface ClusterOptions {
  /** Whether a commit is on disk when it is acknowledged. Default: false. */
  readonly fsync?: boolean;
}

/** Debian keeps the programs of each version in a folder of its own. */
const DEBIAN = '/usr/lib/postgresql';

function programs(): string | undefined {
  const versions = existsSync(DEBIAN)
    ? readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one))
    : [];
  const folders = [...versions.map((version) => join(DEBIAN, version, 'bin')), ...testServerOptions().path];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Why tests cannot have a PostgreSQL server; undefined where they can. */
export function missingPostgres(): string | undefined {
  const { databaseUrl, required } = testServerOptions();
  if (databaseUrl !== undefined || programs() !== undefined) return undefined;
  const words = 'PostgreSQL is not installed, and DATABASE_URL is not set';
  if (required) throw new Error(`${words}: CI needs one of the two.`);
  return words;
}

function withSchema(url: string): string {
  const own = new URL(url);
  own.searchParams.set('schema', `test_${randomUUID().replaceAll('-', '')}`);
  return own.href;
}

const NOBODY = 65_534;

/** PostgreSQL refuses to run as root. */
function unprivileged(command: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [command, [...args]];
  return ['setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', command, ...args]];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves once the server says that it takes connections; rejects with what it said instead. */
function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stderr?.on('data', (data: Buffer) => {
      if (said.includes('ready to accept connections')) return;
      said += data.toString();
      if (said.includes('ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${said}`)));
  });
}

function initialise(bin: string, folder: string): void {
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
  const args = [
    '-D',
    join(folder, 'data'),
    '-A',
    'trust',
    '-U',
    'jobforge',
    '--no-sync',
    '-E',
    'UTF8',
    '--locale=C',
  ];
  const [command, rest] = unprivileged(join(bin, 'initdb'), args);
  const { status, stderr } = spawnSync(command, rest, { cwd: folder });
  if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr.toString()}`);
}

/** The server that DATABASE_URL names. Its schemas stay: the database is expected to be thrown away. */
function given(url: string): PostgresCluster {
  const nothing = async (): Promise<void> => undefined;
  return { own: false, newUrl: () => withSchema(url), crash: nothing, start: nothing, stop: nothing };
}

/** Starts a server of its own in a folder that is removed again, or uses the one that DATABASE_URL names. */
export async function startPostgres({ fsync = false }: ClusterOptions = {}): Promise<PostgresCluster> {
  const { databaseUrl } = testServerOptions();
  if (databaseUrl !== undefined) return given(databaseUrl);
  const bin = programs();
  if (bin === undefined) throw new Error('PostgreSQL is not installed.');
  const folder = mkdtempSync(join(tmpdir(), 'jobforge-postgres-'));
  initialise(bin, folder);
  const port = await freePort();
  let server: ChildProcess | undefined;

  const settings = {
    fsync: fsync ? 'on' : 'off',
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: folder,
  };
  const start = async (): Promise<void> => {
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, args] = unprivileged(join(bin, 'postgres'), ['-D', join(folder, 'data'), ...flags]);
    server = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    await ready(server);
  };
  const end = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    if (server === undefined || server.exitCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  };
  await start();
  return {
    own: true,
    newUrl: () => withSchema(`postgres://jobforge@127.0.0.1:${port}/postgres`),
    crash: () => end('SIGQUIT'),
    start,
    async stop() {
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
