import { Worker } from 'node:worker_threads';
import { RUNNER_FD } from './isolation-messages.js';

/**
 * A text, so that bundlers and minifiers leave it whole (decisions/006). The runner holds the other end of the pipe and
 * never writes: the end comes when the runner is gone, however it went.
 */
const GUARD_SOURCE = `
const { Socket } = require('node:net');
const end = () => process.kill(-process.pid, 'SIGKILL');
new Socket({ fd: ${RUNNER_FD}, readable: true, writable: false }).on('error', end).on('close', end).resume();
`;

/** In megabytes. */
const LIMITS = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } as const;

/**
 * Ends this process and its group when the runner is gone, also where the handler blocks its thread and could not be
 * told. Windows has no groups and passes no such pipe: a process there ends when its handler next lets go of the thread.
 */
export function guardAgainstLoss(): void {
  if (process.platform === 'win32') return;
  const options = { name: 'controlplane-guard', execArgv: [], env: {}, resourceLimits: LIMITS };
  new Worker(GUARD_SOURCE, { eval: true, ...options }).unref();
}
