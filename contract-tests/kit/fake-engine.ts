import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An engine of containers that starts processes of this machine, and writes down what it was told. */
export interface FakeEngine {
  /** PATH that leads to it alone. */
  readonly path: string;
  /** Its command lines, in order. */
  calls(): readonly string[];
  /** Processes of containers that were started and are not removed. */
  containers(): readonly number[];
}

/** Answers as podman does: the process in a container is no child of the client's group. */
const PROGRAM = `
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const [state, images] = [__dirname, JSON.parse(fs.readFileSync(__dirname + '/images.json', 'utf8'))];
const args = process.argv.slice(2);
fs.appendFileSync(state + '/calls', args.join(' ') + '\\n');
const fail = (text, code = 125) => { process.stderr.write('Error: ' + text + '\\n'); process.exit(code); };
const last = args.at(-1);
const file = (name) => state + '/containers/' + name;
if (args[0] === 'image' && !images[last]) fail(last + ': image not known');
if (args[0] === 'pull') fail('initializing source docker://' + last + ': denied');
if (args[0] === 'kill' || args[0] === 'rm') {
  if (!fs.existsSync(file(last))) fail('no such container ' + last);
  const pid = Number(fs.readFileSync(file(last), 'utf8'));
  try { process.kill(-pid, args[0] === 'rm' ? 'SIGKILL' : args[2]); } catch { /* It has ended. */ }
  if (args[0] === 'rm') fs.rmSync(file(last), { force: true });
}
if (args[0] === 'run') {
  const name = args[args.indexOf('--name') + 1];
  const env = Object.fromEntries(args.flatMap((word, at) => {
    if (args[at - 1] !== '--env') return [];
    const [key, ...value] = word.split('=');
    const given = word.includes('=') ? value.join('=') : process.env[key];
    return [[key, given.replace('host.docker.internal', '127.0.0.1')]];
  }));
  const child = spawn('/bin/sh', ['-c', images[last]], { env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  fs.writeFileSync(file(name), String(child.pid));
  child.on('exit', (code, signal) => { fs.rmSync(file(name), { force: true }); process.exit(code ?? (signal === 'SIGKILL' ? 137 : 143)); });
}
`;

/** Puts an engine of this name into a folder; its images are commands. */
export function fakeEngine(
  folder: string,
  name: 'podman' | 'docker',
  images: Readonly<Record<string, string>>,
): FakeEngine {
  mkdirSync(join(folder, 'containers'), { recursive: true });
  writeFileSync(join(folder, 'images.json'), JSON.stringify(images));
  const program = join(folder, name);
  writeFileSync(program, `#!${process.execPath}\n${PROGRAM}`);
  chmodSync(program, 0o755);
  const calls = join(folder, 'calls');
  const held = join(folder, 'containers');
  return {
    path: folder,
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
    containers: () => readdirSync(held).map((file) => Number(readFileSync(join(held, file), 'utf8'))),
  };
}
