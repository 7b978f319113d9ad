import type { Log } from '../model/log.js';
import type { CliContext, ForgeOptions, ServingForge } from './cli-context.js';
import { timeOfDay } from './durations.js';
import { printJson, type ServingLine } from './json-output.js';
import { printable, printableLine } from './printable.js';
import { startFailure } from './start-failure.js';
import { storeWords } from './store-option.js';
import { toned, type Terminal } from './terminal.js';

/** How a control plane is started, and how its life is told. */
export interface Serving {
  readonly command: 'dev' | 'serve';
  readonly options: Omit<ForgeOptions, 'log'>;
  /** Where jobs are kept, as it may be shown; null where nothing is kept. */
  readonly shown: string | null;
  /** Whether programs read the output. */
  readonly json: boolean;
  /** What to try first; printed once JobForge listens. */
  readonly hint: (forge: ServingForge) => string;
}

/** Starts JobForge, tells what happens to it, and stops it at the first signal. */
export async function serveForge(context: CliContext, serving: Serving): Promise<void> {
  const { terminal, version } = context;
  const { command, options, shown, json, hint } = serving;
  const held: ServingLine[] = [];
  const say = (line: ServingLine): void =>
    json ? printJson(terminal, command, line) : printLine(terminal, line, shown !== null);
  let ready = false;
  const log: Log = (severity, message, fields) => {
    const line: ServingLine = {
      ...{ event: 'log', severity, message },
      ...(fields ? { fields: plain(fields) } : {}),
    };
    // The first line on stdout is `ready`, whatever there is to say before.
    if (ready) say(line);
    else held.push(line);
  };
  const signal = firstSignal(context);
  let forge: ServingForge;
  try {
    forge = await context.startForge({ ...options, log });
  } catch (error) {
    signal.release();
    if (!json) held.forEach(say);
    throw await startFailure(error, options);
  }
  ready = true;
  const { url, adminTokenFile } = forge;
  say({ event: 'ready', url, data: shown, version, ...(adminTokenFile !== undefined && { adminTokenFile }) });
  if (!json) terminal.out(`${toned(terminal, 'dim', 'try')}        ${hint(forge)}`);
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

function printLine(terminal: Terminal, line: ServingLine, isKept: boolean): void {
  switch (line.event) {
    case 'ready':
      return terminal.out(
        `${toned(terminal, 'strong', 'JobForge')}   ${line.url}   ${toned(terminal, 'dim', `(${storeWords(line.data)})`)}`,
      );
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
  { severity, message, fields }: Extract<ServingLine, { event: 'log' }>,
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
