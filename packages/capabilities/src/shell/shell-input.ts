/**
 * @module
 * Commands as a capability: what a job may ask for, what the profiles allow, and how the end of a command becomes the
 * outcome of its job. Imports the process room, the SDK's public entry and zod.
 */
import { z } from 'zod';
import { PROGRAM_RESULT, type ProgramResult } from '../process/program-result.js';
import { ResourceLimits } from '../process/resource-limits.js';

/** Programs are given their arguments as C strings. */
const Text = z.string().regex(/^[^\0]*$/, 'expected a text without NUL');
const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name of A-Z a-z 0-9 _');

/** Schema of the input of a `shell` capability. */
export const ShellInput = z
  .strictObject({
    argv: z.array(Text).min(1).max(4096).optional(),
    command: Text.min(1).optional(),
    cwd: Text.min(1).optional(),
    env: z.record(VariableName, Text).optional(),
    stdin: z.string().optional(),
    exitCodes: z.array(z.int().min(0).max(255)).min(1).optional(),
    limits: ResourceLimits.optional(),
  })
  .refine(({ argv, command }) => (argv === undefined) !== (command === undefined), {
    path: ['argv'],
    message: 'expected either argv, a program and its arguments, or command, a line for the shell',
  });

/** What a job asks of a `shell` capability. */
export interface ShellInput {
  /** A program and its arguments, each as it is. */
  readonly argv?: readonly string[] | undefined;
  /** A line for the shell; only with the profile `full`. */
  readonly command?: string | undefined;
  /** Folder to run in. Default: the capability's. */
  readonly cwd?: string | undefined;
  /** Variables beside those that the capability gives; only with the profile `full`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What the program reads. Default: nothing. */
  readonly stdin?: string | undefined;
  /** Exit codes that count as success. Default: 0 alone. */
  readonly exitCodes?: readonly number[] | undefined;
  /** Stricter limits than the capability's. */
  readonly limits?: ResourceLimits | undefined;
}

/** Schema of the result of a `shell` capability. */
export const ShellResult = z.object(PROGRAM_RESULT);

/** How a command ended that succeeded. */
export type ShellResult = ProgramResult;
