/** What the profile `readonly` lets a program be told. */
export interface ReadonlyProgram {
  /** Options without a value; each argument that begins with `-` must match. */
  readonly flags: RegExp;
  /** Options whose value is the next argument, and what that may be. */
  readonly values?: Readonly<Record<string, RegExp>> | undefined;
  /** What its operands are: files to read, folders to list, or words of this form. None where missing. */
  readonly operands?: 'files' | 'folders' | RegExp | undefined;
  /** The first operand is a pattern, no file. */
  readonly hasPattern?: boolean | undefined;
}

const NONE = /^$/;
const COUNT = /^[+-]?\d{1,12}$/;

/** Columns of `ps` that say nothing of a program's arguments or environment. */
const PS_COLUMNS =
  /^(pid|ppid|pgid|sid|user|uid|stat|etime|etimes|time|pcpu|pmem|rss|vsz|ni|pri|tty|comm|nlwp)(,(pid|ppid|pgid|sid|user|uid|stat|etime|etimes|time|pcpu|pmem|rss|vsz|ni|pri|tty|comm|nlwp))*$/;

/**
 * The programs of the profile `readonly`. No program is here that runs others, writes, reads files named in files, or
 * shows environments or arguments of processes: `env`, `printenv`, `find`, `xargs`, `awk`, `sed`, `systemctl`, `top`.
 */
export const READONLY_PROGRAMS: Readonly<Record<string, ReadonlyProgram>> = {
  cat: { flags: /^-[AbEnsTv]+$/, operands: 'files' },
  head: { flags: /^-(\d{1,12}|[qv])$/, values: { '-n': COUNT, '-c': COUNT }, operands: 'files' },
  tail: { flags: /^-(\d{1,12}|[fqv])$/, values: { '-n': COUNT, '-c': COUNT }, operands: 'files' },
  wc: { flags: /^-[clmwL]+$/, operands: 'files' },
  grep: {
    flags: /^-[cEFHhilnosvwx]+$/,
    values: { '-m': COUNT, '-A': COUNT, '-B': COUNT, '-C': COUNT },
    operands: 'files',
    hasPattern: true,
  },
  ls: { flags: /^-[1aAdhlnrStF]+$/, operands: 'folders' },
  pwd: { flags: NONE },
  date: { flags: /^(-u|-R|-I|--utc|-Iseconds)$/, operands: /^\+[^\0]*$/ },
  df: { flags: /^-[ahHikPT]+$/ },
  echo: { flags: /^-n$/, operands: /^[^\0]*$/ },
  false: { flags: NONE },
  free: { flags: /^-[bkmghtw]+$/ },
  hostname: { flags: /^-[fsid]$/ },
  id: { flags: /^-[ugGn]+$/ },
  ps: { flags: /^-[eA]$/, values: { '-o': PS_COLUMNS } },
  true: { flags: NONE },
  uname: { flags: /^-[asnrvmpio]+$/ },
  uptime: { flags: /^-[ps]$/ },
  whoami: { flags: NONE },
};

/** An argument that has been understood. */
export type ReadonlyArgument =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'file' | 'folder'; readonly text: string };

const word = (text: string): ReadonlyArgument => ({ kind: 'word', text });

function operand({ operands }: ReadonlyProgram, text: string): ReadonlyArgument | undefined {
  if (operands === 'files') return text === '-' ? word(text) : { kind: 'file', text };
  if (operands === 'folders') return { kind: 'folder', text };
  return operands?.test(text) ? word(text) : undefined;
}

interface Reading {
  readonly program: ReadonlyProgram;
  readonly args: readonly string[];
  at: number;
  needsPattern: boolean;
  /** After `--`. */
  onlyOperands: boolean;
}

const isOption = (text: string): boolean => text.startsWith('-') && text !== '-';

function readOption(reading: Reading, text: string): readonly ReadonlyArgument[] | undefined {
  const { program, args } = reading;
  if (text === '--') {
    reading.onlyOperands = true;
    return [word(text)];
  }
  const value = program.values?.[text];
  if (value === undefined) return program.flags.test(text) ? [word(text)] : undefined;
  const given = args[reading.at++] ?? '';
  return value.test(given) ? [word(text), word(given)] : undefined;
}

function readOperand(reading: Reading, text: string): readonly ReadonlyArgument[] | undefined {
  if (reading.needsPattern) {
    reading.needsPattern = false;
    return [word(text)];
  }
  const found = operand(reading.program, text);
  return found && [found];
}

/**
 * Understands arguments, all of them.
 * @returns the arguments, or the first that the program may not be given
 */
export function readArguments(
  program: ReadonlyProgram,
  args: readonly string[],
): readonly ReadonlyArgument[] | { readonly refused: string } {
  const reading: Reading = {
    program,
    args,
    at: 0,
    needsPattern: program.hasPattern === true,
    onlyOperands: false,
  };
  const understood: ReadonlyArgument[] = [];
  while (reading.at < args.length) {
    const text = args[reading.at++] ?? '';
    const read = !reading.onlyOperands && isOption(text) ? readOption : readOperand;
    const found = read(reading, text);
    if (!found) return { refused: text };
    understood.push(...found);
  }
  return understood;
}
