import { createErrorEnvelope, type ErrorEnvelope } from '@controlplane/contracts';
import { Command, CommanderError } from 'commander';
import { isJobForgeError } from '../model/job-forge-error.js';
import { addAuditCommands } from './audit-commands.js';
import { addCapabilityCommands } from './capability-commands.js';
import type { CliContext } from './cli-context.js';
import { CliFailure } from './cli-failure.js';
import { addCompletionCommand } from './completion-command.js';
import { addDevCommand } from './dev-command.js';
import { addDoctorCommand } from './doctor-command.js';
import { EXIT, EXIT_CODES_HELP, type ExitCode } from './exit-code.js';
import { printFailure } from './failure-text.js';
import { addJobCommands } from './job-commands.js';
import { ErrorOutput } from './json-output.js';
import { addRunnerCommands } from './runner-commands.js';
import { addSecretCommands } from './secret-commands.js';
import { addServeCommand } from './serve-command.js';
import { addTokenCommands } from './token-commands.js';
import { addWebhookCommands } from './webhook-commands.js';
import { usageError } from './usage-error.js';

/** Runs one command line and returns how it ended. Never rejects. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram(context, (settled) => (code = settled));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    const json = argv.includes('--json');
    if (!(error instanceof CommanderError)) return report(context, error, json);
    if (error.exitCode === 0) return EXIT.ok;
    // The help was printed in place of an error: no command was named.
    if (error.code === 'commander.help') return EXIT.usage;
    return report(context, usageError(program, argv, error), json);
  }
}

function createProgram(context: CliContext, settle: (code: ExitCode) => void): Command {
  const { terminal, version } = context;
  const program = new Command('jobforge')
    .description('The control plane: durable jobs, sent to runners.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      // Told once it is known as what: text, or JSON.
      outputError: () => undefined,
      getOutHasColors: () => terminal.colour,
      getErrHasColors: () => terminal.colour,
    })
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Environment:
  JOBFORGE_URL  where JobForge listens, unless --url says so
  JOBFORGE_TOKEN, JOBFORGE_TOKEN_FILE
                the token to ask with, or a file of it, unless --token-file names one
  NO_COLOR      when set, nothing is coloured
  JOBFORGE_SECRETS_KEY, JOBFORGE_SECRETS_KEY_FILE
                for dev and serve: the key that secrets are stored with, 32 bytes as base64 or hex;
                default: secrets.key beside the store, made at the first start
  JOBFORGE_ADMIN_TOKEN, JOBFORGE_ADMIN_TOKEN_FILE
                for serve: the token that an operator begins with; default: admin.token beside the store
  DATABASE_URL  for serve: the database, unless --store names one

With --json a failure is {"success":false,"error":{"code":…,"message":…,…}} on stdout.`,
    );
  addDevCommand(program, context);
  addServeCommand(program, context);
  addTokenCommands(program, context);
  addJobCommands(program, context, settle);
  addRunnerCommands(program, context, settle);
  addCapabilityCommands(program, context);
  addSecretCommands(program, context);
  addAuditCommands(program, context);
  addWebhookCommands(program, context);
  addDoctorCommand(program, context, settle);
  addCompletionCommand(program, context);
  return program;
}

function report({ terminal }: CliContext, error: unknown, json: boolean): ExitCode {
  const envelope = envelopeOfFailure(error);
  if (json) terminal.out(JSON.stringify(ErrorOutput.parse({ success: false, error: envelope })));
  else printFailure(terminal, envelope, error instanceof CliFailure ? error.aside : undefined);
  return error instanceof CliFailure ? error.exitCode : EXIT.failed;
}

function envelopeOfFailure(error: unknown): ErrorEnvelope {
  if (error instanceof CliFailure || isJobForgeError(error)) return error.envelope;
  const message = error instanceof Error ? error.message : String(error);
  return createErrorEnvelope({
    category: 'INTERNAL_ERROR',
    severity: 'error',
    code: 'INTERNAL_ERROR',
    message,
    service: 'jobforge-cli',
  });
}
