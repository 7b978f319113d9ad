import { Worker } from 'node:worker_threads';
import type { Isolation } from '../../capability/isolation.js';
import { ISOLATED_MARK, type FromIsolated } from '../../capability/isolation-messages.js';
import { sayThrown } from '../../util/safe-json.js';
import type { Child } from './child.js';

/** Starts a thread that loads the module of a capability. */
export function startThread(capabilityId: string, { module }: Isolation): Child {
  const thread = new Worker(new URL(module), {
    name: `capability ${capabilityId}`,
    workerData: { [ISOLATED_MARK]: capabilityId },
    stdout: true,
    stderr: true,
  });
  let problem: string | undefined;
  let isGone = false;
  const child: Child = {
    listener: undefined,
    get isGone() {
      return isGone;
    },
    send: (message) => thread.postMessage(message),
    hold: (isHeld) => (isHeld ? thread.ref() : thread.unref()),
    async kill() {
      await thread.terminate();
    },
  };
  thread.on('message', (message: FromIsolated) => child.listener?.said(message));
  thread.on('error', (error) => (problem = sayThrown(error)));
  thread.on('messageerror', (error) => (problem = sayThrown(error)));
  thread.stdout.on('data', (chunk: Uint8Array) => child.listener?.wrote('stdout', chunk));
  thread.stderr.on('data', (chunk: Uint8Array) => child.listener?.wrote('stderr', chunk));
  thread.on('exit', (code) => {
    isGone = true;
    child.listener?.gone(problem ?? `its thread ended with code ${code}`);
  });
  return child;
}
