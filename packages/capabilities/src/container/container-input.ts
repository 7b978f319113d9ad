import { z } from 'zod';
import { PROGRAM_RESULT, type ProgramResult } from '../process/program-result.js';

const Text = z.string().regex(/^[^\0]*$/, 'expected a text without NUL');
const Image = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/, 'expected a reference such as docker.io/library/alpine:3.20');
/** The commands of the engines take these signs as separators. */
const Path = z.string().regex(/^[^\0\n:,"]+$/, 'expected a path without : , " and line breaks');
const Target = Path.regex(/^\//, 'expected an absolute path');
const FileName = z
  .string()
  .max(255)
  .regex(/^(?!\.{1,2}$)[^\0/\\\n]+$/, 'expected the name of a file, not a path');

/** Schema of the input of the `container` capability. */
export const ContainerInput = z.strictObject({
  image: Image,
  command: z.array(Text).max(4096).optional(),
  entrypoint: Text.min(1).optional(),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a name of A-Z a-z 0-9 _'), Text)
    .optional(),
  workdir: Target.optional(),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_.-]+)?$/, 'expected user or user:group')
    .optional(),
  stdin: z.string().optional(),
  mounts: z
    .array(z.strictObject({ source: Path, target: Target, readonly: z.boolean().optional() }))
    .max(32)
    .optional(),
  network: z.string().optional(),
  limits: z
    .strictObject({
      memoryBytes: z
        .int()
        .min(6 * 1024 * 1024)
        .optional(),
      cpus: z.number().positive().optional(),
      processes: z.int().positive().optional(),
    })
    .optional(),
  pull: z.enum(['missing', 'always', 'never']).optional(),
  files: z
    .array(
      z.strictObject({
        name: FileName,
        content: z.string(),
        encoding: z.enum(['utf8', 'base64']).optional(),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'expected 64 digits of hex')
          .optional(),
      }),
    )
    .max(256)
    .optional(),
  exitCodes: z.array(z.int().min(0).max(255)).min(1).optional(),
});

/** What one container may use. */
export interface ContainerLimits {
  readonly memoryBytes?: number | undefined;
  /** Processors, also parts of one. */
  readonly cpus?: number | undefined;
  /** Processes and threads at once. */
  readonly processes?: number | undefined;
}

/** A folder of the runner's machine that a container sees. */
export interface ContainerMount {
  /** Path on the machine of the runner. */
  readonly source: string;
  /** Path in the container. */
  readonly target: string;
  /** Default: true. */
  readonly readonly?: boolean | undefined;
}

/** A file that a container finds in `/job/input`. */
export interface ContainerFile {
  readonly name: string;
  readonly content: string;
  /** How `content` is to be read. Default: `utf8`. */
  readonly encoding?: 'utf8' | 'base64' | undefined;
  /** Of its bytes; checked before the container is made. */
  readonly sha256?: string | undefined;
}

/** What a job asks of the `container` capability. */
export interface ContainerInput {
  readonly image: string;
  /** Arguments in place of the image's own. */
  readonly command?: readonly string[] | undefined;
  readonly entrypoint?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  /** What it reads. Default: nothing. */
  readonly stdin?: string | undefined;
  /** In the folders that the capability allows. */
  readonly mounts?: readonly ContainerMount[] | undefined;
  /** One of those that the capability allows. Default: the first of them. */
  readonly network?: string | undefined;
  /** Stricter limits than the capability's. */
  readonly limits?: ContainerLimits | undefined;
  /** When the image is fetched. Default: `missing`. */
  readonly pull?: 'missing' | 'always' | 'never' | undefined;
  readonly files?: readonly ContainerFile[] | undefined;
  /** Exit codes that count as success. Default: 0 alone. */
  readonly exitCodes?: readonly number[] | undefined;
}

/** Schema of the result of the `container` capability. */
export const ContainerResult = z.object({
  ...PROGRAM_RESULT,
  imageId: z.string(),
  artifacts: z
    .array(z.object({ path: z.string(), name: z.string(), bytes: z.int(), sha256: z.string() }))
    .readonly(),
});

/** A file that a container left in `/job/output`: an artifact of the job. */
export interface ContainerArtifact {
  /** Below `/job/output`. */
  readonly path: string;
  /** Of the artifact: the path, with `_` for signs that such a name does not have. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** How a container ended that succeeded. */
export interface ContainerResult extends ProgramResult {
  /** Of the image that ran. */
  readonly imageId: string;
  readonly artifacts: readonly ContainerArtifact[];
}
