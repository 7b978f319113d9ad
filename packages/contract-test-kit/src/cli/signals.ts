import { killAllRunnerProcesses } from '../harness/runner-process.js';

/** Leaves no runner behind, however the kit ends. */
export function stopRunnersOnExit(): void {
  process.on('exit', killAllRunnerProcesses);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
