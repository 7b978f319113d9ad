import { EXIT } from './exit-codes.js';
import { killAllRunnerProcesses } from '../harness/runner-process.js';

/** Leaves no runner behind, however the kit ends. What it did not expect is its own fault, and not the runner's. */
export function stopRunnersOnExit(): void {
  process.on('exit', killAllRunnerProcesses);
  process.on('uncaughtException', (error) => {
    process.stderr.write(
      `contract-test: fault of the kit, not of the runner.\n${error.stack ?? error.message}\n`,
    );
    process.exit(EXIT.kitFault);
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
