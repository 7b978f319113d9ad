import { EXIT_CODES, type CliContext } from './cli-context.js';
import { runHealth } from './health-command.js';

const USAGE = `usage: runner-sdk health [options]

Asks a runner how it is: a probe for containers without curl.

  --url URL       where the runner serves (default: http://HOST:PORT of the environment, else http://127.0.0.1:3000)
  --port N        the same at another port of this machine
  --ready         is it registered, receiving and not draining?  (GET /readyz)
  --live          does the process answer at all?                (GET /livez)
                  neither: is it healthy, with what it depends on? (GET /health)
  --timeout MS    milliseconds to wait for the answer (default: 3000)
  --json          one JSON object: {"ok","status","reasons","url","ms"}

exit code: 0 yes, 1 no, 2 wrong usage, 4 nobody answered`;

/**
 * Runs the command.
 * @param args - what follows the command's name
 * @returns its exit code
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const [command, ...rest] = args;
  if (command === '--help' || command === '-h' || rest.includes('--help') || rest.includes('-h')) {
    context.write(USAGE);
    return EXIT_CODES.ok;
  }
  if (command === 'health') return runHealth(rest, context);
  context.writeError(
    command === undefined ? USAGE : `runner-sdk has no command "${command}"; it has: health\n\n${USAGE}`,
  );
  return EXIT_CODES.usage;
}
