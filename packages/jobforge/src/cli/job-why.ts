import type { JobWhy, RunnerFit } from '@controlplane/contracts';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { asClient, sessionOf, type ClientOptions } from './client-command.js';
import { spoken } from './durations.js';
import { printJson } from './json-output.js';
import { printableLine } from './printable.js';
import { toned, type Terminal } from './terminal.js';

/** `jobforge job why` */
export function addJobWhy(job: Command, context: CliContext): void {
  asClient(job.command('why <id>'))
    .description('say why a job is not running yet, runner by runner, and what would have to change')
    .addHelpText('after', '\nWith --json: the answer of `GET /jobs/:id/why`.')
    .action(async (id: string, options: ClientOptions) => {
      const { client, terminal, json } = sessionOf(context, options);
      const why = await client.call('whyJob', { params: { id } });
      if (json) printJson(terminal, 'job why', why);
      else printWhy(terminal, why);
    });
}

function freeWords({ freeSlots }: RunnerFit): string {
  return freeSlots === 1 ? '(1 slot free)' : `(${freeSlots} slots free)`;
}

function printRunners(terminal: Terminal, { runners, moreRunners }: JobWhy): void {
  const lines = runners.map((runner) => ({
    name: printableLine(runner.name),
    reason: printableLine(runner.reason ?? 'could take it'),
    free: runner.freeSlots > 0 ? freeWords(runner) : '',
  }));
  const widthOf = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const names = widthOf(lines.map(({ name }) => name));
  const reasons = widthOf(lines.map(({ reason, free }) => (free === '' ? '' : reason)));
  for (const { name, reason, free } of lines) {
    const words = free === '' ? reason : `${reason.padEnd(reasons)}   ${toned(terminal, 'dim', free)}`;
    terminal.out(`  ${name.padEnd(names)}   ${words}`);
  }
  if (moreRunners !== undefined) terminal.out(toned(terminal, 'dim', `  and ${moreRunners} more`));
}

function printWhy(terminal: Terminal, why: JobWhy): void {
  const { status, reason, waitingMs, needs, ahead = 0, runners, wouldRunIf } = why;
  const asks = needs.length === 0 ? '' : ` · needs ${needs.join(', ')}`;
  if (waitingMs === undefined) return terminal.out(printableLine(`${status} · ${reason}${asks}`));
  terminal.out(printableLine(`waiting ${spoken(waitingMs)}${asks}`));
  // Where a runner says why not, that is the reason; else it lies elsewhere.
  if (runners.every(({ fails }) => fails === undefined)) terminal.out(printableLine(`  ${reason}`));
  printRunners(terminal, why);
  if (ahead > 0) terminal.out(`  ${ahead === 1 ? '1 job goes' : `${ahead} jobs go`} before it`);
  if (wouldRunIf.length > 0) terminal.out(printableLine(`  would run if ${wouldRunIf.join(', or ')}`));
}
