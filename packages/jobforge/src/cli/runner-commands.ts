import type { RunnerMetadata } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { spoken } from './durations.js';
import type { ExitCode } from './exit-code.js';
import { printFields } from './fields.js';
import { printJson } from './json-output.js';
import { addRunnerControlCommands } from './runner-control-commands.js';
import { addRunnerSecretCommands } from './runner-secret-commands.js';
import { runnerOf } from './runner-of.js';
import { printTable, type Column } from './table.js';
import { toned } from './terminal.js';

/** `jobforge runner …` */
export function addRunnerCommands(
  program: Command,
  context: CliContext,
  settle: (code: ExitCode) => void,
): void {
  const runner = program.command('runner').description('the runners that JobForge knows');
  asClient(runner.command('list'))
    .description('list runners')
    .addHelpText('after', '\nWith --json: a list of runners as `GET /runners` answers it.')
    .action(async (options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const runners = await client.call('listRunners');
      if (json) return printJson(terminal, 'runner list', runners);
      if (runners.length === 0) return terminal.out(toned(terminal, 'dim', 'no runner is registered yet'));
      printTable(terminal, columns(context.now()), runners);
    });
  asClient(runner.command('show <runner>'))
    .description('show one runner, by its id or by a name that it alone has')
    .addHelpText('after', '\nWith --json: the runner as `GET /runners/:id` answers it.')
    .action(async (wanted: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const shown = await runnerOf(client, wanted);
      if (json) return printJson(terminal, 'runner show', shown);
      printFields(terminal, fieldsOf(shown, context.now()));
    });
  addRunnerControlCommands(runner, context, settle);
  addRunnerSecretCommands(runner, context);
}

const stateOf = ({ status, draining, disabled }: RunnerMetadata): string =>
  [status, ...(draining ? ['draining'] : []), ...(disabled ? ['disabled'] : [])].join(', ');
const capabilitiesOf = ({ capabilities }: RunnerMetadata): string =>
  capabilities.map(({ id, version }) => `${id}@${version}`).join(', ');
const slotsOf = ({ activeExecutions = 0, maxConcurrency }: RunnerMetadata): string =>
  `${activeExecutions}/${maxConcurrency ?? '?'}`;
const agoOf = (timestamp: string, now: number): string =>
  `${spoken(Math.max(0, now - Date.parse(timestamp)))} ago`;

function columns(now: number): Column<RunnerMetadata>[] {
  return [
    { title: 'NAME', value: ({ name }) => name, flexible: true },
    { title: 'STATUS', value: stateOf },
    { title: 'RUNNING', value: slotsOf },
    { title: 'SEEN', value: ({ lastHeartbeatAt }) => agoOf(lastHeartbeatAt, now) },
    { title: 'CAPABILITIES', value: capabilitiesOf, flexible: true },
    { title: 'ID', value: ({ id }) => id },
  ];
}

function fieldsOf(runner: RunnerMetadata, now: number): [string, string | undefined][] {
  const { platform, delivery, labels, disabled } = runner;
  return [
    ['id', runner.id],
    ['name', `${runner.name} ${runner.version}`],
    ['status', stateOf(runner)],
    ['disabled', disabled && [disabled.reason, `since ${disabled.since}`].filter(Boolean).join(', ')],
    ['running', `${slotsOf(runner)} slots`],
    ['capabilities', capabilitiesOf(runner) || 'none'],
    ['seen', agoOf(runner.lastHeartbeatAt, now)],
    ['registered', runner.registeredAt],
    ['health', runner.healthCheckEndpoint],
    [
      'delivery',
      delivery &&
        [delivery.kind, 'executeUrl' in delivery ? delivery.executeUrl : undefined].filter(Boolean).join(' '),
    ],
    [
      'labels',
      labels &&
        Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
    ],
    ['features', runner.features?.join(', ')],
    ['platform', platform && [platform.os, platform.arch, platform.runtime].filter(Boolean).join(' ')],
    ['machine', runner.machineId],
  ];
}
