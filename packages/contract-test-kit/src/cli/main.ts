import { Command, CommanderError } from 'commander';
import { FIXTURE_LANGUAGES } from '../fixtures/fixture-files.js';
import { TargetUnreachable } from '../harness/target-unreachable.js';
import { PortTaken } from '../harness/recording-control-plane.js';
import { REPORT_FORMATS } from '../reporters/formats.js';
import { createRedactor } from '../reporters/redact-report.js';
import { Profile } from '../requirements/requirement.js';
import { NothingSelected } from '../run-contract/run-contract.js';
import { CONFIG_FILE } from './config-file.js';
import { doctorCommand } from './doctor-command.js';
import { drainCommand } from './drain-command.js';
import { EXIT, UsageError } from './exit-codes.js';
import { fixturesCommand, type FixturesFlags } from './fixtures-command.js';
import { initCommand, type InitFlags } from './init-command.js';
import { explainCommand, listCommand, type ListFlags } from './list-command.js';
import type { RunFlags } from './parse-flags.js';
import { diffCommand, reportCommand } from './report-command.js';
import { runCommand } from './run-command.js';
import type { Terminal } from './terminal.js';

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const PROFILES = Profile.options.join(', ');
const FORMATS = REPORT_FORMATS.join(', ');

const EXIT_HELP = `
Exit codes: 0 conformant · 1 not conformant · 2 wrong usage · 3 fault of the kit · 4 runner not reachable

The runner that --command or --image starts gets JOBFORGE_URL (the kit's control plane), PORT (free), HOST,
RUNNER_NAME, RUNNER_ID and CONTRACT_VERSION. It is told to stop with SIGTERM.`;

function defineRun(program: Command, terminal: Terminal, finish: (code: number) => void): void {
  program
    .command('run')
    .description('judge a runner')
    .option('--url <url>', 'root of a runner that runs already')
    .option('--command <command>', 'command that starts the runner; the kit starts and stops it')
    .option('--image <name>', 'container image of the runner; podman or docker starts and stops it')
    .option('--network <kind>', 'with --image: host or bridge (default: host on Linux, else bridge)')
    .option('--env <name[=value]>', 'with --image: a variable that the runner gets (repeatable)', collect)
    .option('--control-plane <url>', 'root of a control plane: the kit plays runners and clients')
    .option('--token <token>', 'with --control-plane: may do everything there (or CONTRACT_TEST_TOKEN)')
    .option('--cwd <dir>', 'folder that --command runs in')
    .option('--control-plane-port <port>', 'with --url: where the kit listens as JobForge for that runner')
    .option(
      '--delivery <kind>',
      'with --command or --image: push, websocket, long-poll, or all that it takes (default: what it registers with)',
    )
    .option(
      '--run <id>',
      'judge this requirement, or those of a glob such as execute.* (repeatable)',
      collect,
    )
    .option('--profile <name>', `judge this profile (repeatable): ${PROFILES}`, collect)
    .option('--input <capability={json}>', 'call a capability with this input (repeatable)', collect)
    .option('--allow-writes <capability>', 'make inputs up for one that writes too (repeatable)', collect)
    .option('--leave-out <capability>', 'never call this capability (repeatable)', collect)
    .option('--report <format[=path]>', `to stdout or a file (repeatable): ${FORMATS}`, collect)
    .option('--config <file>', `flags from a file (default: ${CONFIG_FILE}, where it is there)`)
    .option('--json', 'short for --report json')
    .option('--timeout <ms>', 'limit of one case (default: 20000)')
    .option('--start-timeout <ms>', 'until the runner must answer (default: 20000)')
    .option('--seed <number>', 'of generated inputs and of the order (default: 1)')
    .option('--known-failures <file>', 'failures that do not fail the run: YAML of id, reason, expires')
    .option('--strict', 'warnings and what could not be judged fail too')
    .addHelpText('after', EXIT_HELP)
    .action(async (flags: RunFlags) => finish(await runCommand(flags, terminal)));
}

function defineReports(program: Command, terminal: Terminal, finish: (code: number) => void): void {
  program
    .command('report <file>')
    .description('write a JSON report again, in another form, to stdout')
    .option('--as <format>', FORMATS, 'text')
    .action(async (file: string, flags: { as: string }) =>
      finish(await reportCommand(file, flags, terminal)),
    );
  program
    .command('diff <old> <new>')
    .description('compare two JSON reports; exits 1 when something fails that did not')
    .option('--json', 'as JSON')
    .action(async (old: string, now: string, flags: { json?: boolean }) =>
      finish(await diffCommand([old, now], flags, terminal)),
    );
}

function defineSetup(program: Command, terminal: Terminal, finish: (code: number) => void): void {
  program
    .command('init')
    .description(`write ${CONFIG_FILE}, and a workflow that runs it in CI`)
    .option('--command <command>', 'command that starts the runner')
    .option('--image <name>', 'container image of the runner; podman or docker starts and stops it')
    .option('--url <url>', 'root of a runner that runs already')
    .option('--ci <system>', 'github, gitlab or none', 'github')
    .option('--force', 'write over files that are there')
    .option('--json', 'as JSON')
    .action(async (flags: InitFlags) => finish(await initCommand(flags, terminal)));
  program
    .command('doctor')
    .description(
      'say whether the kit can work here and, with --url, --command or --image, whether the runner can be judged',
    )
    .option('--url <url>', 'root of a runner that runs already')
    .option('--command <command>', 'command that starts the runner')
    .option('--image <name>', 'container image of the runner; podman or docker starts and stops it')
    .option('--network <kind>', 'with --image: host or bridge (default: host on Linux, else bridge)')
    .option('--env <name[=value]>', 'with --image: a variable that the runner gets (repeatable)', collect)
    .option('--cwd <dir>', 'folder that --command runs in')
    .option('--start-timeout <ms>', 'until the runner must answer (default: 20000)')
    .option('--json', 'as JSON')
    .action(async (flags: RunFlags) => finish(await doctorCommand(flags, terminal)));
}

function defineDrain(program: Command, terminal: Terminal, finish: (code: number) => void): void {
  program
    .command('drain')
    .description('tell a runner to stop while it works, and certify what came of its work')
    .option('--command <command>', 'command that starts the runner')
    .option('--image <name>', 'container image of the runner; podman or docker starts and stops it')
    .option('--network <kind>', 'with --image: host or bridge (default: host on Linux, else bridge)')
    .option('--env <name[=value]>', 'with --image: a variable that the runner gets (repeatable)', collect)
    .option('--cwd <dir>', 'folder that --command runs in')
    .option('--input <capability={json}>', 'work that takes a while (default: conformance.sleep)', collect)
    .option('--start-timeout <ms>', 'until the runner must answer (default: 20000)')
    .option('--json', 'as JSON')
    .action(async (flags: RunFlags) => finish(await drainCommand(flags, terminal)));
}

function defineFixtures(program: Command, terminal: Terminal, finish: (code: number) => void): void {
  program
    .command('fixtures')
    .description('write the conformance.* capabilities as a file for a runner in another language')
    .requiredOption('--language <name>', FIXTURE_LANGUAGES.join(', '))
    .option('--out <file>', 'where to (default: its own name, in this folder)')
    .option('--force', 'write over a file that is there')
    .option('--json', 'as JSON')
    .action((flags: FixturesFlags) => finish(fixturesCommand(flags, terminal)));
}

function defineProgram(terminal: Terminal, finish: (code: number) => void): Command {
  const program = new Command('contract-test')
    .description('Proves from outside that a runner, in any language, keeps the contract.')
    .showHelpAfterError('(contract-test --help shows the commands)')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride();
  defineRun(program, terminal, finish);
  program
    .command('list')
    .description('show every requirement')
    .option('--profile <name>', `those of this profile alone (repeatable): ${PROFILES}`, collect)
    .option('--json', 'as JSON')
    .action((flags: ListFlags) => finish(listCommand(flags, terminal)));
  program
    .command('explain <id>')
    .description('show one requirement in full')
    .option('--json', 'as JSON')
    .action((id: string, flags: { json?: boolean }) => finish(explainCommand(id, flags, terminal)));
  defineReports(program, terminal, finish);
  defineSetup(program, terminal, finish);
  defineDrain(program, terminal, finish);
  defineFixtures(program, terminal, finish);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function codeOf(error: unknown, { err, environment }: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.conformant : EXIT.usage;
  if (error instanceof UsageError || error instanceof NothingSelected || error instanceof PortTaken) {
    err(`contract-test: ${error.message}\n`);
    return EXIT.usage;
  }
  if (error instanceof TargetUnreachable) {
    // The message shows what the runner wrote.
    const redact = createRedactor([environment]);
    err(`contract-test: the runner cannot be judged. ${redact(error.message)}\n`);
    return EXIT.unreachable;
  }
  err(
    `contract-test: fault of the kit, not of the runner.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.kitFault;
}

/**
 * Runs one command line.
 * @param args - without node and script
 * @returns the exit code
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.conformant;
  try {
    const program = defineProgram(terminal, (next) => {
      code = next;
    });
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return codeOf(error, terminal);
  }
}
