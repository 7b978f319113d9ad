// From an empty folder to the result of the first job: `npx create-runner demo --yes`, `npm install`, `npm run dev`, and a
// job submitted. Cold: npm's cache is empty. Warm: everything has been fetched before. Packages of ours are the tarballs
// that would be published; the rest comes from the registry, at its speed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childEnvironment } from '../scripts/environment.mjs';
import { freePort } from './harness/free-port.mjs';
import { pack } from './harness/installed.mjs';
import { report, round } from './harness/report.mjs';

const PACKAGES = [
  'contracts',
  'runner-sdk',
  'capabilities',
  'jobforge',
  'contract-test-kit',
  'create-runner',
];
const room = mkdtempSync(join(tmpdir(), 'scaffold-bench-'));
const packed = join(room, 'packed');
const tarballs = Object.fromEntries(PACKAGES.map((name) => [name, pack(name, packed)]));

async function run(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said}`);
  return said;
}

/** `npm run dev` until it is ready; what ends it comes back. */
async function startDev(cwd, env) {
  const child = spawn('npm', ['run', 'dev'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) if (/ {2}ready · /.test(line)) break;
  child.stdout.resume();
  const { pid } = child;
  if (pid === undefined) throw new Error('npm was not started');
  return async () => {
    process.kill(-pid, 'SIGINT');
    await exited;
  };
}

/** One newcomer's minute; the milliseconds that each step took. */
async function minute(folder, cache) {
  mkdirSync(folder);
  const ports = { JOBFORGE_PORT: String(await freePort()), PORT: String(await freePort()) };
  const url = `http://127.0.0.1:${ports.JOBFORGE_PORT}`;
  const env = childEnvironment({ npm_config_cache: cache, ...ports, JOBFORGE_URL: url });
  const cwd = join(folder, 'demo');
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());

  const create = ['create-runner', 'demo', '--yes', '--no-git', '--packages', packed];
  await run('npm', ['exec', '--yes', `--package=${tarballs['create-runner']}`, '--', ...create], {
    cwd: folder,
    env,
  });
  mark();
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd, env });
  mark();
  const end = await startDev(cwd, env);
  mark();
  const job = ['jobforge', 'job', 'submit', 'hello.greet', '{"name":"Ada"}', '--follow'];
  const said = await run('npx', job, { cwd, env });
  mark();
  await end();
  if (!said.includes('Hello, Ada')) throw new Error(`the first job has another result:\n${said}`);
  return marks.slice(1).map((at, index) => at - marks[index]);
}

const seconds = (ms) => `${round(ms / 1000, 1)} s`;

function print(name, steps, aim) {
  const [create, install, dev, job] = steps;
  const total = steps.reduce((sum, step) => sum + step, 0);
  report(`scaffold, ${name}: from an empty folder to the first job's result`, {
    'npx create-runner': seconds(create),
    'npm install': seconds(install),
    'npm run dev, ready': seconds(dev),
    'the first job': seconds(job),
    total: `${seconds(total)} (aim ≤ ${aim})`,
  });
}

try {
  const cache = join(room, 'cache');
  print('empty caches', await minute(join(room, 'cold'), cache), '60 s');
  print('warm', await minute(join(room, 'warm'), cache), '5 s');
} finally {
  rmSync(room, { recursive: true, force: true });
}
