import { fork } from 'node:child_process';
import { execArgv, kill } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Isolation } from '../../capability/isolation.js';
import { ISOLATED_MARK, type FromIsolated } from '../../capability/isolation-messages.js';
import { createDeferred } from '../../util/deferred.js';
import { sayThrown } from '../../util/safe-json.js';
import type { Child } from './child.js';
import { childEnvironment } from './child-environment.js';
import { passedFlags } from './passed-flags.js';

/** Whole groups have ids below zero; Windows has none. */
const HAS_GROUPS = process.platform !== 'win32';

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    kill(HAS_GROUPS ? -pid : pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it went by itself. EPERM: on macOS, nothing of the group is left but its dead.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Starts a process, leader of a group of its own, that loads the module of a capability. */
export function startProcess(capabilityId: string, { module, environment }: Isolation): Child {
  const started = fork(fileURLToPath(module), [ISOLATED_MARK, capabilityId], {
    env: childEnvironment(environment),
    execArgv: passedFlags(execArgv),
    detached: HAS_GROUPS,
    serialization: 'advanced',
    // The last one is RUNNER_FD: nothing is written, its end tells that this process is gone.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
  const gone = createDeferred<void>();
  let isGone = false;
  const leave = (why: string): void => {
    if (isGone) return;
    isGone = true;
    gone.resolve();
    child.listener?.gone(why);
  };
  const child: Child = {
    listener: undefined,
    get isGone() {
      return isGone;
    },
    send: (message) => void (started.connected && started.send(message, () => undefined)),
    hold(isHeld) {
      const change = isHeld ? ('ref' as const) : ('unref' as const);
      started[change]();
      // Bun's channel has neither.
      started.channel?.[change]?.();
      // The pipes are sockets, which the types do not say.
      for (const pipe of started.stdio.slice(1)) (pipe as unknown as NodeJS.Timeout | null)?.[change]();
    },
    async kill() {
      // The id of one that is gone may be another's by now.
      if (!isGone) killGroup(started.pid);
      await gone.promise;
    },
  };
  started.stdio[4]?.on('error', () => undefined);
  started.on('message', (message) => child.listener?.said(message as FromIsolated));
  started.stdout?.on('data', (chunk: Uint8Array) => child.listener?.wrote('stdout', chunk));
  started.stderr?.on('data', (chunk: Uint8Array) => child.listener?.wrote('stderr', chunk));
  started.on('error', (error) => leave(`its process could not be started: ${sayThrown(error)}`));
  // Not `close`: a program that the handler left behind may hold the pipes.
  started.on('exit', (code, signal) => {
    // One that ended by itself leaves what it started, and the next attempt would run beside that.
    if (HAS_GROUPS) killGroup(started.pid);
    leave(signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`);
  });
  return child;
}
