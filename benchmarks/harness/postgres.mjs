// A PostgreSQL server with its own settings, fsync among them: the one that DATABASE_URL names, or one of its own in a
// folder that is removed again.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';

const NOBODY = 65_534;
/** Debian keeps the programs of each version in a folder of its own. */
const DEBIAN = '/usr/lib/postgresql';

function programs() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...process.env.PATH.split(':'),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** PostgreSQL refuses to run as root. */
const unprivileged = (command, args) =>
  process.getuid() === 0
    ? ['setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', command, ...args]]
    : [command, args];

/** Resolves to the URL of a database, and what ends its server. */
export async function startPostgres() {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, stop: async () => {} };
  const bin = programs();
  if (bin === undefined) throw new Error('PostgreSQL is not installed, and DATABASE_URL is not set.');
  const folder = mkdtempSync(join(tmpdir(), 'bench-postgres-'));
  if (process.getuid() === 0) chownSync(folder, NOBODY, NOBODY);
  const data = join(folder, 'data');
  const init = unprivileged(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'bench', '-E', 'UTF8']);
  const { status, stderr } = spawnSync(init[0], init[1], { cwd: folder });
  if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr.toString()}`);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const [command, args] = unprivileged(join(bin, 'postgres'), ['-D', data, ...flags]);
  const server = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of server.stderr) if (line.includes('ready to accept connections')) break;
  server.stderr.resume();
  return {
    url: `postgres://bench@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill('SIGINT');
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
