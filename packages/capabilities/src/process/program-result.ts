import { z } from 'zod';

/** What every result of a program has, as the members of a schema. */
export const PROGRAM_RESULT = {
  exitCode: z.int(),
  durationMs: z.int(),
  stdout: z.string(),
  stderr: z.string(),
  stdoutBytes: z.int(),
  stderrBytes: z.int(),
  droppedBytes: z.int(),
};

/** How a program ended that succeeded. */
export interface ProgramResult {
  readonly exitCode: number;
  /** From the start of the program to its end. */
  readonly durationMs: number;
  /** The first and the last bytes that it printed, as text. */
  readonly stdout: string;
  readonly stderr: string;
  /** Bytes that it printed. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Bytes of both that are missing from the middle of `stdout` and `stderr`. */
  readonly droppedBytes: number;
}
