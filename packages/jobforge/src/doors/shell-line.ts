import { z } from 'zod';
import { JobForgeError } from '../model/job-forge-error.js';
import { FOR_A_SHELL, type ShellDialect } from './shell-capability.js';

/** The input of a command, as our own capability takes it. */
const Input = z.object({
  command: z.string().min(1).optional(),
  argv: z.array(z.string()).min(1).optional(),
  cwd: z.string().min(1).optional(),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
  stdin: z.string().optional(),
  exitCodes: z.array(z.number().int()).min(1).default([0]),
  limits: z.unknown().optional(),
});
type Input = z.infer<typeof Input>;

/** A command as a line for a shell, and the exit codes that count as success. */
export interface ShellLine {
  readonly command: string;
  readonly exitCodes: readonly number[];
}

/** One word of a line for a POSIX shell, whatever it holds. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Of words, the first too is no more than a word: it may look like an assignment, or be a keyword. */
const lineOf = ([program = '', ...args]: readonly string[]): string =>
  [`'${program.replaceAll("'", `'\\''`)}'`, ...args.map(quoted)].join(' ');

function refused(what: string): JobForgeError {
  return new JobForgeError('VALIDATION_ERROR', {
    message: `The runner that took this job cannot be given ${what}: its protocol has no words for it.`,
    remedy: 'Leave it out, or name a runner of JobForge’s own by `runner` or `labels`.',
  });
}

function inPosix({ command, argv, cwd, env = {}, stdin }: Input): string {
  const line = command ?? lineOf(argv ?? []);
  const before = [
    ...(cwd === undefined ? [] : [`cd -- ${quoted(cwd)} || exit`]),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
  ];
  // A line may end in a comment, which is not to hide what comes after it.
  const fed = stdin === undefined ? line : `printf %s ${quoted(stdin)} | {\n${line}\n}`;
  return [...before, fed].join('\n');
}

/** What a dialect does not understand of an input. */
function unspoken(
  dialect: ShellDialect,
  { command, argv, cwd, env, stdin, limits }: Input,
): string | undefined {
  if (limits !== undefined) return '`limits`';
  if (
    [command, ...(argv ?? []), cwd, stdin, ...Object.values(env ?? {})].some((text) => text?.includes('\0'))
  )
    return 'a NUL';
  if (dialect === 'posix') return undefined;
  const more = Object.entries({ cwd, env, stdin }).find(([, value]) => value !== undefined);
  if (more !== undefined) return `\`${more[0]}\``;
  if (dialect === 'line') return argv === undefined ? undefined : '`argv`';
  if (command !== undefined) return '`command`';
  const special = argv?.find((word) => word === '' || FOR_A_SHELL.test(word) || /\s/.test(word));
  return special === undefined ? undefined : `the argument ${JSON.stringify(special)}`;
}

/**
 * A job's input as a line.
 * @throws JobForgeError VALIDATION_ERROR for what the runner does not understand
 */
export function toLine(payload: unknown, dialect: ShellDialect): ShellLine {
  const parsed = Input.safeParse(payload);
  if (!parsed.success || (parsed.data.command === undefined) === (parsed.data.argv === undefined))
    throw new JobForgeError('VALIDATION_ERROR', {
      message: 'The input is no command: expected either `argv` or `command`.',
    });
  const input = parsed.data;
  const what = unspoken(dialect, input);
  if (what !== undefined) throw refused(what);
  const command = dialect === 'posix' ? inPosix(input) : (input.command ?? input.argv?.join(' ') ?? '');
  return { command, exitCodes: input.exitCodes };
}
