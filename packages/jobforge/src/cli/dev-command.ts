import { DEFAULTS } from '@controlplane/contracts';
import type { Command } from 'commander';
import { isLoopback } from '../api/loopback.js';
import type { Log } from '../model/log.js';
import type { CliContext, ServingForge } from './cli-context.js';
import { misused } from './cli-failure.js';
import { timeOfDay } from './durations.js';
import { printJson, type DevLine } from './json-output.js';
import { integer } from './option-values.js';
import { printable, printableLine } from './printable.js';
import { startFailure } from './start-failure.js';
import { storeOf, storeWords } from './store-option.js';
import { toned, type Terminal } from './terminal.js';

interface DevOptions {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly memory?: boolean;
  readonly store?: string;
  readonly allowHost?: readonly string[];
  readonly json?: boolean;
}

/** `jobforge dev` */
export function addDevCommand(program: Command, context: CliContext): void {
  program
    .command('dev')
    .description('run JobForge on this machine, open to this machine alone')
    .option('--host <address>', 'loopback address to listen on', '127.0.0.1')
    .option(
      '--port <port>',
      'port to listen on; 0 takes a free one',
      integer({ min: 0, max: 65_535 }),
      DEFAULTS.jobForgePort,
    )
    .option('--data <dir>', 'folder of the store', './data')
    .option('--memory', 'keep nothing: everything is gone when it stops')
    .option('--store <url>', 'a database instead of the folder: postgres://user:password@host/database')
    .option('--allow-host <names...>', 'accept requests under these host names too')
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      `
The first SIGINT or SIGTERM lets running jobs end, the second stops at once.
With --json, a line each: {"event":"ready","url":…,"data":…,"version":…} first, then
{"event":"log",…}, {"event":"stopping","running":…} and {"event":"stopped","handedBack":…}.`,
    )
    .action((options: DevOptions) => dev(context, options));
}

async function dev(context: CliContext, options: DevOptions): Promise<void> {
  const { terminal, version } = context;
  const { host, port, json = false } = options;
  if (!isLoopback(host)) {
    throw misused(
      `jobforge dev is open to whoever reaches it, so it listens on loopback alone: --host ${host} is not 127.0.0.1, ::1 or localhost.`,
    );
  }
  const { store, shown: data } = storeOf(options);
  const held: DevLine[] = [];
  const say = (line: DevLine): void =>
    json ? printJson(terminal, 'dev', line) : printDevLine(terminal, line, data !== null);
  let ready = false;
  const log: Log = (severity, message, fields) => {
    const line: DevLine = { event: 'log', severity, message, ...(fields ? { fields: plain(fields) } : {}) };
    // The first line on stdout is `ready`, whatever there is to say before.
    if (ready) say(line);
    else held.push(line);
  };
  const signal = firstSignal(context);
  let forge: ServingForge;
  try {
    const allowedHosts = options.allowHost ?? [];
    // What is tried out is told at this machine.
    const dev = { makesKey: true, allowPrivateWebhooks: true };
    forge = await context.startForge({ host, port, store, allowedHosts, ...dev, log });
  } catch (error) {
    signal.release();
    if (!json) held.forEach(say);
    throw await startFailure(error, { host, port });
  }
  ready = true;
  say({ event: 'ready', url: forge.url, data, version });
  held.forEach(say);
  await signal.heard;
  say({ event: 'stopping', running: forge.running() });
  const { handedBack } = await forge.stop();
  signal.release();
  say({ event: 'stopped', handedBack });
}

function firstSignal(context: CliContext): { readonly heard: Promise<void>; release(): void } {
  let release = (): void => undefined;
  const heard = new Promise<void>((resolve) => {
    release = context.onSignal(resolve);
  });
  return { heard, release: () => release() };
}

// Errors are not JSON by themselves: what they say is kept.
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  );
}

function printDevLine(terminal: Terminal, line: DevLine, isKept: boolean): void {
  switch (line.event) {
    case 'ready':
      terminal.out(
        `${toned(terminal, 'strong', 'JobForge')}   ${line.url}   ${toned(terminal, 'dim', `(${storeWords(line.data)})`)}`,
      );
      terminal.out(
        `${toned(terminal, 'dim', 'try')}        npx jobforge job submit <capability> '{…}' --follow`,
      );
      return;
    case 'log':
      return printLog(terminal, line);
    case 'stopping':
      return terminal.out(toned(terminal, 'dim', stoppingWords(line.running)));
    case 'stopped':
      return terminal.out(toned(terminal, 'dim', stoppedWords(line.handedBack, isKept)));
  }
}

const counted = (count: number): string => `${count} ${count === 1 ? 'execution' : 'executions'}`;

function stoppingWords(running: number): string {
  if (running === 0) return 'stopping: nothing is running';
  return `stopping: ${counted(running)} may end; once more stops at once`;
}

function stoppedWords(handedBack: number, isKept: boolean): string {
  if (handedBack === 0) return 'stopped';
  const were = `stopped: ${counted(handedBack)} ${handedBack === 1 ? 'was' : 'were'}`;
  return isKept
    ? `${were} handed back, the next start takes ${handedBack === 1 ? 'it' : 'them'} up`
    : `${were} given up with the memory`;
}

function printLog(
  terminal: Terminal,
  { severity, message, fields }: Extract<DevLine, { event: 'log' }>,
): void {
  if (severity === 'debug') return;
  const tone = severity === 'error' ? 'bad' : severity === 'warn' ? 'warn' : 'good';
  const more =
    fields && Object.keys(fields).length > 0
      ? ` ${toned(terminal, 'dim', printableLine(JSON.stringify(fields)))}`
      : '';
  const time = toned(terminal, 'dim', timeOfDay(new Date().toISOString()));
  terminal.out(`  ${time}  ${toned(terminal, tone, severity.padEnd(5))}  ${printable(message)}${more}`);
}
