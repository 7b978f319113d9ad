/**
 * @module
 * cli/ is the `jobforge` command: one file a group of commands, over the HTTP API that everybody else uses.
 * It imports contracts, commander, eventsource-parser and, for `dev` alone, the control plane itself; nothing
 * in the package imports it but the entry `cli.ts`.
 */
import { styleText } from 'node:util';

/** Where the command speaks. Lines, so that nothing is left without an end. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Width to fit tables into; undefined where nobody looks at them. */
  readonly columns: number | undefined;
  readonly colour: boolean;
  /** Shows where something stands, in place of what was shown before; undefined where nobody looks. */
  readonly status?: ((words: string | undefined) => void) | undefined;
}

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong';

const STYLES = { good: 'green', bad: 'red', warn: 'yellow', dim: 'gray', strong: 'bold' } as const;

/** Colours text where the terminal wants colours. */
export function toned(terminal: Terminal, tone: Tone, text: string): string {
  return terminal.colour ? styleText(STYLES[tone], text) : text;
}

/** Standard output and error of this process; colours unless `NO_COLOR` is set or nobody looks. */
export function processTerminal(env: NodeJS.ProcessEnv): Terminal {
  const { stdout, stderr } = process;
  const isLive = stderr.isTTY && env['TERM'] !== 'dumb';
  // The line is taken back to its beginning and emptied first.
  const show = (words = ''): void =>
    void stderr.write(`\r\u001B[2K${words.slice(0, Math.max(0, (stderr.columns ?? 80) - 1))}`);
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    columns: stdout.isTTY ? stdout.columns : undefined,
    colour: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    status: isLive ? show : undefined,
  };
}
