import { z } from 'zod';
import { Identifier, Timestamp } from './identifiers.js';

/** Name of an artifact: 1–128 of `A-Z a-z 0-9 . _ -`, not beginning with a dot. */
export const ArtifactName = z
  .string()
  .regex(
    /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/,
    'expected 1–128 of A-Z a-z 0-9 . _ -, not beginning with a dot',
  );
export type ArtifactName = z.infer<typeof ArtifactName>;

/** Header that proves, on the upload of an artifact, that the execution is the job's current one. */
export const LEASE_TOKEN_HEADER = 'x-lease-token';
/** Header with the hex of a file's SHA-256: what arrives otherwise is refused. */
export const SHA256_HEADER = 'x-content-sha256';

/** A file that an execution has left. */
export const Artifact = z.object({
  name: ArtifactName,
  jobId: Identifier,
  /** The attempt that left it. */
  executionId: Identifier,
  bytes: z.number().int().nonnegative(),
  /** Hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  contentType: z.string().max(256),
  createdAt: Timestamp,
});
export type Artifact = z.infer<typeof Artifact>;
