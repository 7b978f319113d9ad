/**
 * @module
 * The `controlplane-runner` command: its arguments, its words and its exit codes. Imports the daemon room.
 */
import { createRunner, isRunnerError } from '@controlplane/runner-sdk';
import { planDaemon } from '../daemon/daemon-plan.js';
import { examine } from '../daemon/doctor.js';
import { EXIT_CODES, type CliContext } from './cli-context.js';
import { readArguments, type CommandArguments } from '../daemon/command-arguments.js';
import { loadEnvFile } from './env-file.js';

export const USAGE = `usage: controlplane-runner [run | doctor] --host KIND[,KIND…] [options]

Works for control planes with capabilities that are ready made. Each kind of host is read from the environment
variables of its own runner.

  --host KIND           jobforge, swarmlet, automn, swamp or quarterback; several share the slots, and one drain
                        ends them all (environment: CONTROLPLANE_RUNNER_HOSTS)
  --name NAME           of the runner (environment: RUNNER_NAME; default: the machine's)
  --shell PROFILE       readonly: programs that only look; full: any command. Default: full for swamp and for
                        swarmlet with RUNNER_CAPABILITIES=exec.full, else readonly
  --allow DIR           with readonly: a folder that may be read; may be repeated
  --script              runs scripts too, in the languages that this machine has; automn always has it
  --label KEY=VALUE     what jobs can ask for; may be repeated
  --concurrency N|auto  jobs at once (default: 10; auto: as many as there are processors)
  --max-dispatches N    drain and stop after so many jobs
  --idle-timeout SPAN   drain and stop when nothing has run for so long (90s, 10m, 1h30m)
  --max-uptime SPAN     drain and stop after so long
  --drain SPAN          how long running jobs may finish in when the runner stops (default: 25s)
  --state-dir DIR       what must outlive the process (environment: RUNNER_STATE_DIR)
  --cache-dir DIR       swamp: where the machine-id is (environment: SWAMP_WORKER_CACHE_DIR)
  --data-plane-url URL  swamp: where results are written, when that is another address
  --no-reconnect        swamp: stop when the connection is lost
  --orchestrator-url URL
                        quarterback (environment: QUARTERBACK_URL, ORCHESTRATOR_URL)
  --poll-interval N     quarterback: seconds between two questions for work (default: 30)
  --container-image REF quarterback: what tasks run in (environment: CONTAINER_IMAGE)
  --container-runtime ENGINE
                        podman, docker or auto (default: auto)
  --container-network NAME
                        of the containers (default: the engine's own; none for no network)
  --victoria-home DIR   quarterback: a folder that every task sees and may write (default: none)
  --env-file FILE       variables for the containers
  --envfile FILE        read variables from a file that its owner alone may read
  --allow-insecure-envfile
  --json                doctor: one JSON object
  -v, --verbose         log more
  --version, -h, --help

doctor looks whether a runner could be started so, and starts none.

exit code: 0 stopped, 1 something failed, 2 wrong usage, 64 to 73 refused for good by every host`;

async function run({ values }: CommandArguments, context: CliContext): Promise<number | undefined> {
  const { options, warnings } = await planDaemon(values, context.env, context.version);
  for (const warning of warnings) context.writeError(`controlplane-runner: ${warning}`);
  await createRunner(options).start();
  return undefined;
}

async function doctor({ values }: CommandArguments, context: CliContext): Promise<number> {
  const { env, version, fetch, write } = context;
  const checks = await examine({ values, env, version, fetch });
  const isWell = checks.every(({ ok }) => ok);
  if (values.json) write(JSON.stringify({ ok: isWell, checks }));
  else for (const { name, ok, detail } of checks) write(`${ok ? '✓' : '✗'} ${name}: ${detail}`);
  return isWell ? EXIT_CODES.ok : EXIT_CODES.failed;
}

async function obey(args: CommandArguments, context: CliContext): Promise<number | undefined> {
  const { command, values } = args;
  if (values.help) {
    context.write(USAGE);
    return EXIT_CODES.ok;
  }
  if (values.version) {
    context.write(context.version);
    return EXIT_CODES.ok;
  }
  if (values.envfile !== undefined)
    await loadEnvFile(values.envfile, context.env, {
      allowsOthers: values['allow-insecure-envfile'] === true,
    });
  if (command === 'run') return run(args, context);
  if (command === 'doctor') return doctor(args, context);
  throw new Error(`there is no command "${command}": expected run or doctor`);
}

/**
 * Runs the command.
 * @param args - what follows the command's name
 * @returns its exit code; undefined once a runner runs, which then says it
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number | undefined> {
  try {
    return await obey(readArguments(args), context);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    context.writeError(`controlplane-runner: ${message}`);
    const isStartFailure = isRunnerError(error) && error.code !== 'INVALID_OPTION';
    return isStartFailure ? EXIT_CODES.failed : EXIT_CODES.usage;
  }
}
