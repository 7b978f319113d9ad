import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What was typed is not usable; the message says what to type instead. */
export class UsageError extends Error {}

export interface Options {
  /** Absolute; contains node_modules. */
  readonly dir: string;
  readonly port: number;
  /** Absolute: where JobForge keeps its jobs. */
  readonly data: string;
  /** End after the results instead of serving on. */
  readonly exit: boolean;
}

const DEFAULT_PORT = 3002;
const here = fileURLToPath(new URL('..', import.meta.url));

export const USAGE = `npm start -- [--input DIR] [--port N] [--data DIR] [--exit]

  --input DIR   the folder whose node_modules is read (default: this checkout)
  --port N      where JobForge listens on 127.0.0.1 (default: ${DEFAULT_PORT}; 0: a free port)
  --data DIR    where JobForge keeps its jobs (default: examples/dependency-audit/data)
  --exit        end after the results instead of serving on until Ctrl-C`;

/** Reads the command line. `undefined` when help was asked for. */
export function readOptions(args: string[], cwd = process.cwd()): Options | undefined {
  const { input, port, data, exit, help } = parse(args);
  if (help) return undefined;
  const dir = input === undefined ? resolve(here, '..', '..') : resolve(cwd, input);
  if (!existsSync(dir))
    throw new UsageError(`There is no folder ${dir}. --input names one that contains node_modules.`);
  if (!statSync(dir).isDirectory())
    throw new UsageError(`${dir} is not a folder. --input names one that contains node_modules.`);
  if (!existsSync(join(dir, 'node_modules'))) {
    throw new UsageError(
      `${dir} has no node_modules. Install its packages first, or name another folder with --input.`,
    );
  }
  return {
    dir,
    port: readPort(port ?? String(DEFAULT_PORT)),
    data: data === undefined ? join(here, 'data') : resolve(cwd, data),
    exit: exit ?? false,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        input: { type: 'string' },
        port: { type: 'string' },
        data: { type: 'string' },
        exit: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`--port is "${text}": it must be a number from 0 to 65535.`);
  return port;
}
