/** How the command ends, as `--help` says. */
export const EXIT = {
  ok: 0,
  /** The job failed, or what was asked was refused. */
  failed: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** JobForge cannot be reached. */
  unreachable: 4,
  /** Told to stop watching: what is watched goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0  it worked
  1  the job failed, or what was asked was refused
  2  the command line cannot be understood
  4  JobForge cannot be reached
  130  stopped watching with Ctrl-C: the job goes on`;
