import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { printJson } from './json-output.js';
import { lengthMs } from './moment.js';
import { runnerOf } from './runner-of.js';
import { toned } from './terminal.js';

interface RotateOptions extends ClientOptions {
  readonly overlap?: string;
}

/** `jobforge runner revoke | rotate-secret` */
export function addRunnerSecretCommands(runner: Command, context: CliContext): void {
  asClient(runner.command('revoke <runner>'))
    .description('take a runner’s secret away and disconnect it: what it runs counts as lost')
    .addHelpText('after', '\nWith --json: {"runnerId":…,"revoked":true,"revokedAt":…}.')
    .action(async (wanted: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const { id, name } = await runnerOf(client, wanted);
      const revoked = await client.call('revokeRunner', { params: { id } });
      if (json) printJson(terminal, 'runner revoke', revoked);
      else terminal.out(`${name} is revoked`);
    });
  asClient(runner.command('rotate-secret <runner>'))
    .description('give a runner a new secret, and print it this once')
    .option('--overlap <time>', 'how long the one before is still taken, such as 10m or 2h (default: 1h)')
    .addHelpText(
      'after',
      `
The secret alone is written to stdout. A connected runner of the SDK is given one of its own by itself.
With --json: {"runnerId":…,"runnerSecret":…,"previousUntil":…}.`,
    )
    .action(async (wanted: string, options: RotateOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const { id, name } = await runnerOf(client, wanted);
      const body = options.overlap === undefined ? {} : { overlapMs: lengthMs(options.overlap) };
      const rotated = await client.call('rotateRunnerSecret', { params: { id }, body });
      if (json) return printJson(terminal, 'runner rotate-secret', rotated);
      terminal.out(rotated.runnerSecret);
      terminal.err(
        toned(terminal, 'dim', `of ${name}; the one before is taken until ${rotated.previousUntil}`),
      );
    });
}
