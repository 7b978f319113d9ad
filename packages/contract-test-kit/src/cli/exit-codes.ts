/**
 * @module
 * The `contract-test` command: flags in, exit code out. The only room that writes to the terminal.
 */

/** Exit codes of `contract-test`. */
export const EXIT = {
  conformant: 0,
  notConformant: 1,
  usage: 2,
  kitFault: 3,
  unreachable: 4,
} as const;

/** The command line cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
