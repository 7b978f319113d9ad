import { z } from 'zod';
import { PROGRAM_RESULT, type ProgramResult } from '../process/program-result.js';
import { ResourceLimits } from '../process/resource-limits.js';
import { SCRIPT_LANGUAGES, type ScriptLanguage } from './script-languages.js';

const Text = z.string().regex(/^[^\0]*$/, 'expected a text without NUL');
const VariableName = z
  .string()
  .regex(
    /^(?!(JOB_|BASH_ENV$|PYTHONPATH$|PSModulePath$|LD_))[A-Za-z_][A-Za-z0-9_]*$/,
    'expected a name of A-Z a-z 0-9 _, none that steers the interpreter',
  );

/** Schema of the input of the `script` capability. */
export const ScriptInput = z
  .strictObject({
    language: z.enum(SCRIPT_LANGUAGES),
    code: z.string().min(1),
    args: z.array(Text).max(1024).optional(),
    variables: z.record(VariableName, Text).optional(),
    input: z.json().optional(),
    stdin: z.string().optional(),
    dependencies: z.array(z.string().max(214)).max(64).optional(),
    exitCodes: z.array(z.int().min(0).max(255)).min(1).optional(),
    limits: ResourceLimits.optional(),
  })
  .refine(
    ({ language, dependencies = [] }) =>
      language === 'node' || language === 'python' || dependencies.length === 0,
    { path: ['dependencies'], message: 'scripts of node and python alone have packages to install' },
  );

/** What a job asks of the `script` capability. */
export interface ScriptInput {
  readonly language: ScriptLanguage;
  /** The script: an ES module for `node`. */
  readonly code: string;
  /** Its arguments. */
  readonly args?: readonly string[] | undefined;
  /** Its environment variables. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** Any JSON, as `job.input`, and in the file that `JOB_INPUT` names. */
  readonly input?: unknown;
  /** What it reads from standard input. Default: nothing. */
  readonly stdin?: string | undefined;
  /** Packages of npm (`left-pad@1.3.0`) or PyPI (`requests==2.32.0`). */
  readonly dependencies?: readonly string[] | undefined;
  /** Exit codes that count as success. Default: 0 alone. */
  readonly exitCodes?: readonly number[] | undefined;
  /** Stricter limits than the capability's. */
  readonly limits?: ResourceLimits | undefined;
}

const Level = z.enum(['debug', 'info', 'warn', 'error']);

const Message = z.object({
  level: Level,
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).optional(),
});

/** Schema of the result of the `script` capability. */
export const ScriptResult = z.object({
  ...PROGRAM_RESULT,
  data: z.unknown(),
  logs: z.array(Message).readonly(),
  notifications: z
    .array(z.object({ level: Level, message: z.string(), audience: z.string().optional() }))
    .readonly(),
  input: z.unknown(),
});

/** What a script said on its channel. */
export interface ScriptMessage {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** Any JSON object. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** What a script said to people. */
export interface ScriptNotification extends ScriptMessage {
  /** Whom it is for; absent where the script did not say. */
  readonly audience?: string | undefined;
}

/** How a script ended that succeeded. */
export interface ScriptResult extends ProgramResult {
  /** What it returned on its channel, the last time; null when it returned nothing. */
  readonly data: unknown;
  /** The first 1,000 lines of its log; the log of the job has more. */
  readonly logs: readonly ScriptMessage[];
  /** The first 50. */
  readonly notifications: readonly ScriptNotification[];
  /** As the job gave it; null when it gave none. */
  readonly input: unknown;
}
