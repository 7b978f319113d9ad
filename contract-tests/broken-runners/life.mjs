/** How the runner starts and ends. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beatForEver } from './heartbeat.mjs';
import { leave, register } from './registration.mjs';

const PORT = Number(process.env.PORT ?? 3000);
const lock = joinPath(tmpdir(), `broken-runner-${PORT}.lock`);

/** What a careless runner does at its start that it pays for at its end. */
export function prepareStart({ broken }) {
  if (broken('shutdown.leaves-nothing-behind'))
    spawn('sh', ['-c', "trap '' TERM INT; sleep 60"], { stdio: 'ignore' });
  if (!broken('resilience.starts-again-after-kill')) return;
  const isLocked = existsSync(lock);
  writeFileSync(lock, '');
  if (!isLocked) return;
  rmSync(lock);
  throw new Error('another runner has this port, or has not ended well');
}

async function join(context) {
  if (context.broken('registration.registers')) return;
  await register(context);
  if (context.state.registered) await beatForEver(context);
}

function failed(error) {
  console.error(error);
  process.exit(1);
}

/** Listens, then joins; a careless runner does it the other way round. */
export async function start(server, context) {
  const listen = () =>
    new Promise((resolve) => server.listen(PORT, process.env.HOST ?? '127.0.0.1', resolve));
  context.port = PORT;
  if (context.broken('registration.answers-when-it-registers')) {
    join(context).catch(failed);
    await sleep(1_000);
    return listen();
  }
  await listen();
  return join(context).catch(failed);
}

async function drain(context) {
  const { broken, executions } = context;
  if (broken('heartbeat.says-it-drains')) {
    await executions.drain();
    return leave(context);
  }
  await leave(context);
  return broken('shutdown.finishes-running-work') ? undefined : executions.drain();
}

/** Stops at the first signal, ends at the second. */
export async function stop(server, context) {
  const { broken, state } = context;
  if (broken('shutdown.exits')) return;
  if (state.stopping) {
    if (!broken('shutdown.second-signal-stops')) process.exit(1);
    return;
  }
  state.stopping = true;
  await drain(context);
  // Of the plain kind, which leaves idle connections to those who hold them.
  if (broken('shutdown.exits-despite-connections'))
    await new Promise((resolve) => Server.prototype.close.call(server, resolve));
  if (broken('resilience.starts-again-after-kill')) rmSync(lock, { force: true });
  process.exit(broken('shutdown.exits-cleanly') ? 1 : 0);
}
