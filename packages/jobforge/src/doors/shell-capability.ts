import type { RunnerCapability } from '@controlplane/contracts';

const TEXT = { type: 'string', pattern: '^[^\\u0000]*$' } as const;
const LINE = { ...TEXT, minLength: 1 } as const;
const EXIT_CODES = {
  type: 'array',
  minItems: 1,
  items: { type: 'integer', minimum: 0, maximum: 255 },
} as const;

/** What every result of a program has. */
export const RESULT_MEMBERS = {
  exitCode: { type: 'integer' },
  durationMs: { type: 'integer' },
  stdout: { type: 'string' },
  stderr: { type: 'string' },
  stdoutBytes: { type: 'integer' },
  stderrBytes: { type: 'integer' },
  droppedBytes: { type: 'integer' },
} as const;

/** What a runner of another kind understands of a command. */
export type ShellDialect =
  /** A line for a POSIX shell. */
  | 'posix'
  /** A line for whatever shell it has. */
  | 'line'
  /** A program that only looks and its arguments, none of which a shell would act upon. */
  | 'readonly';

/** What only a shell understands, quotation marks included: a looking program is started without one. */
export const FOR_A_SHELL = /["';|&><$()`\\\n\r]/;

const INPUTS: Readonly<Record<ShellDialect, RunnerCapability['inputSchema']>> = {
  posix: {
    type: 'object',
    properties: {
      command: LINE,
      argv: { type: 'array', minItems: 1, maxItems: 4096, items: TEXT },
      cwd: LINE,
      env: {
        type: 'object',
        propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
        additionalProperties: TEXT,
      },
      stdin: TEXT,
      exitCodes: EXIT_CODES,
    },
    oneOf: [{ required: ['command'] }, { required: ['argv'] }],
    additionalProperties: false,
  },
  line: {
    type: 'object',
    properties: { command: LINE, exitCodes: EXIT_CODES },
    required: ['command'],
    additionalProperties: false,
  },
  readonly: {
    type: 'object',
    properties: {
      argv: {
        type: 'array',
        minItems: 1,
        maxItems: 4096,
        items: { type: 'string', pattern: '^[^"\';|&><$()`\\\\\\n\\r\\u0000\\s]+$' },
      },
      exitCodes: EXIT_CODES,
    },
    required: ['argv'],
    additionalProperties: false,
  },
};

/** The capability by which a runner of another kind runs commands: that of our own, as far as it understands it. */
export function shellCapability(dialect: ShellDialect, slots: number): RunnerCapability {
  const id = dialect === 'readonly' ? 'shell.readonly' : 'shell.full';
  return {
    id,
    name: id,
    version: '1.0.0',
    description:
      dialect === 'readonly'
        ? 'Looks at the state of the machine; changes nothing.'
        : 'Runs a line for the shell, with all that the runner may do.',
    inputSchema: INPUTS[dialect],
    outputSchema: { type: 'object', properties: RESULT_MEMBERS, required: Object.keys(RESULT_MEMBERS) },
    supportedJobTypes: [],
    maxConcurrency: slots,
    timeoutMs: 30_000,
    resourceRequirements: { gpu: false },
    effects: dialect === 'readonly' ? 'none' : 'writes',
    announcesWrites: false,
  };
}
