import type { Artifact } from '@controlplane/contracts';

/** A file on its way in. */
export interface ArtifactUpload {
  readonly name: string;
  readonly contentType: string;
  readonly leaseToken: string | undefined;
  /** Hex of the SHA-256 that it must have; undefined where its sender did not say. */
  readonly sha256: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A file on its way out. */
export interface ArtifactDownload {
  readonly artifact: Artifact;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What can be asked of the files that executions leave. */
export interface ArtifactOperations {
  /**
   * Keeps a file with the job of an execution; on disk when resolved. Refuses with EXECUTION_NOT_FOUND,
   * LEASE_SUPERSEDED, PAYLOAD_TOO_LARGE or VALIDATION_ERROR.
   */
  putArtifact(executionId: string, upload: ArtifactUpload): Promise<Artifact>;
  /** Of one name that of the last attempt. Refuses with JOB_NOT_FOUND. */
  listArtifacts(jobId: string): Promise<Artifact[]>;
  /** Refuses with JOB_NOT_FOUND or ARTIFACT_NOT_FOUND. */
  getArtifact(jobId: string, name: string): Promise<ArtifactDownload>;
}
