import { z } from 'zod';

/** What one program may use, enforced by the system for each process of it. */
export const ResourceLimits = z.strictObject({
  /** Seconds of processor time. */
  cpuSeconds: z.int().positive().optional(),
  /** Bytes of address space, which is more than what is in use: Node.js, Java and the like reserve gigabytes. */
  memoryBytes: z.int().min(1024).optional(),
  /** Bytes of one file that it writes. */
  fileSizeBytes: z.int().min(512).optional(),
});

/** What one program may use, enforced by the system for each process of it. */
export type ResourceLimits = z.infer<typeof ResourceLimits>;

const least = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.min(one, other);

/** The stricter of what the runner allows and what a job asks for. */
export function stricterLimits(allowed: ResourceLimits, asked: ResourceLimits): ResourceLimits {
  return {
    cpuSeconds: least(allowed.cpuSeconds, asked.cpuSeconds),
    memoryBytes: least(allowed.memoryBytes, asked.memoryBytes),
    fileSizeBytes: least(allowed.fileSizeBytes, asked.fileSizeBytes),
  };
}

/**
 * A command that sets the limits and then becomes the program. POSIX: `ulimit -v` counts KiB, `-f` blocks of 512 bytes.
 * The soft limit of processor time lies below the hard one, so that the program is told SIGXCPU before it is killed.
 */
export function withLimits(argv: readonly string[], limits: ResourceLimits): readonly string[] {
  const { cpuSeconds, memoryBytes, fileSizeBytes } = limits;
  const words = [
    cpuSeconds === undefined ? '' : `ulimit -S -t ${cpuSeconds} && ulimit -H -t ${cpuSeconds + 1}`,
    memoryBytes === undefined ? '' : `ulimit -v ${Math.floor(memoryBytes / 1024)}`,
    fileSizeBytes === undefined ? '' : `ulimit -f ${Math.floor(fileSizeBytes / 512)}`,
  ].filter((word) => word !== '');
  if (words.length === 0) return argv;
  return ['/bin/sh', '-c', `${words.join(' && ')} && exec "$@"`, 'sh', ...argv];
}
