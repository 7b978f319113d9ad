import type { RunnerMetadata } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { ApiClient } from './api-client.js';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { spoken } from './durations.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { printJson } from './json-output.js';
import { printableLine } from './printable.js';
import { runnerOf } from './runner-of.js';
import { toned } from './terminal.js';

interface Options extends ClientOptions {
  readonly reason?: string;
  readonly force?: boolean;
}

type Deed = 'drain' | 'disable' | 'enable';

const DEEDS: Readonly<Record<Deed, string>> = {
  drain: 'have a runner finish what it runs, take nothing new and leave',
  disable: 'place nothing new on a runner until it is enabled',
  enable: 'use a runner again that was disabled',
};

function carryOut(
  client: ApiClient,
  { deed, id, reason }: { deed: Deed; id: string; reason: string | undefined },
): Promise<RunnerMetadata> {
  const params = { id };
  if (deed === 'enable') return client.call('enableRunner', { params });
  const body = reason === undefined ? {} : { reason };
  return client.call(deed === 'drain' ? 'drainRunner' : 'disableRunner', { params, body });
}

/** What was done, and what that means for what runs there now. */
function outcomeOf(deed: Deed, { name, activeExecutions = 0, status }: RunnerMetadata): string {
  const running = activeExecutions === 0 ? '' : `; ${activeExecutions} still running`;
  if (deed === 'enable') return `${name} is used again`;
  if (deed === 'disable') return `${name} is disabled${running}`;
  return status === 'offline'
    ? `${name} is offline: it is told when it comes back`
    : `${name} is draining${running}`;
}

function addDeed(runner: Command, context: CliContext, deed: Deed): void {
  const command = asClient(runner.command(`${deed} <runner>`)).description(DEEDS[deed]);
  if (deed !== 'enable')
    command.option('--reason <text>', 'why: shown with the runner, and to jobs that wait for it');
  command
    .addHelpText(
      'after',
      '\nThe runner is named by its id or by a name that it alone has.\nWith --json: the runner.',
    )
    .action(async (wanted: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const { id } = await runnerOf(client, wanted);
      const shown = await carryOut(client, { deed, id, reason: options.reason });
      if (json) printJson(terminal, `runner ${deed}`, shown);
      else terminal.out(outcomeOf(deed, shown));
    });
}

function addVerify(runner: Command, context: CliContext, settle: (code: ExitCode) => void): void {
  asClient(runner.command('verify <runner>'))
    .description('probe a runner through the whole path, with an execution that runs nothing')
    .addHelpText(
      'after',
      '\nWith --json: {"runnerId":…,"ok":…,"steps":[…]}. The exit code is 1 where a step fails.',
    )
    .action(async (wanted: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const { id } = await runnerOf(client, wanted);
      const verification = await client.call('verifyRunner', { params: { id } });
      settle(verification.ok ? EXIT.ok : EXIT.failed);
      if (json) return printJson(terminal, 'runner verify', verification);
      for (const { name, ok, durationMs, message } of verification.steps) {
        const sign = ok ? toned(terminal, 'good', '✓') : toned(terminal, 'bad', '✗');
        terminal.out(
          `${sign} ${name.padEnd(10)}  ${spoken(durationMs).padStart(8)}  ${printableLine(message)}`,
        );
      }
    });
}

/** `jobforge runner verify | drain | disable | enable | delete` */
export function addRunnerControlCommands(
  runner: Command,
  context: CliContext,
  settle: (code: ExitCode) => void,
): void {
  addVerify(runner, context, settle);
  for (const deed of ['drain', 'disable', 'enable'] as const) addDeed(runner, context, deed);
  asClient(runner.command('delete <runner>'))
    .description('forget a runner that has gone')
    .option('--force', 'also while it is connected or runs something: what it runs counts as lost')
    .addHelpText(
      'after',
      '\nWith --json: {"runnerId":…,"deleted":true}. A runner that lives on registers anew.',
    )
    .action(async (wanted: string, options: Options) => {
      const { client, terminal, json } = sessionOf(context, options);
      const { id, name } = await runnerOf(client, wanted);
      const query = options.force ? { force: 'true' } : {};
      const deleted = await client.call('deleteRunner', { params: { id }, query });
      if (json) printJson(terminal, 'runner delete', deleted);
      else terminal.out(`${name} is forgotten`);
    });
}
