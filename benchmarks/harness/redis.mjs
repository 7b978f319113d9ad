// A Redis server of its own that flushes each command to the disk before it answers, in a folder that is removed again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';

/** Resolves to the port of a server on this machine, and what ends it. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const port = await freePort();
  const settings = [
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ];
  const server = spawn('redis-server', ['--port', String(port), ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server.on('error', (error) => {
    throw new Error(`redis-server does not start (Debian has it as redis-server): ${error.message}`);
  });
  for await (const text of server.stdout) if (text.includes('Ready to accept connections')) break;
  server.stdout.resume();
  return {
    port,
    async stop() {
      server.kill('SIGTERM');
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
