import { z } from 'zod';
import { ArtifactName } from './artifact.js';
import { Identifier } from './identifiers.js';

/** SHA-256 of a file's bytes, in lower-case hex. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256: 64 hexadecimal digits in lower case');
export type Sha256 = z.infer<typeof Sha256>;

/** Which bytes a file holds, wherever it is. */
export const FileReference = z.object({ sha256: Sha256, bytes: z.number().int().nonnegative() });
export type FileReference = z.infer<typeof FileReference>;

/** A file that a job brings to its executions: uploaded by `PUT /files/:sha256` before the job is submitted. */
export const JobFile = FileReference.extend({
  /** By which the handler asks for it. */
  name: ArtifactName,
  contentType: z
    .string()
    .max(256)
    .regex(/^[\x20-\x7e]+$/, 'expected a media type')
    .default('application/octet-stream'),
});
export type JobFile = z.infer<typeof JobFile>;

/** Files that one job may bring. */
export const MAX_JOB_FILES = 100;

/** The files of a job, each under a name of its own. */
export const JobFiles = z
  .array(JobFile)
  .max(MAX_JOB_FILES)
  .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, {
    message: 'two files have the same name',
  });
export type JobFiles = z.infer<typeof JobFiles>;

/** For whom a file is read: without either of them, only what the same caller has uploaded is there. */
export const FileQuery = z.object({
  /** An execution that the caller holds; the header `x-lease-token` proves it. */
  execution: Identifier.optional(),
  /** A job that the caller may see, and that names the file. */
  job: Identifier.optional(),
});
export type FileQuery = z.infer<typeof FileQuery>;
