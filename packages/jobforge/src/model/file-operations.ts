import type { FileReference } from '@controlplane/contracts';

/** A file on its way in, for jobs that its sender will submit. */
export interface FileUpload {
  /** What it must have arrived as; undefined where its sender did not say. */
  readonly sha256: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The result of an execution on its way in, as JSON. */
export interface ResultUpload {
  readonly leaseToken: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A file on its way out. */
export interface FileDownload extends FileReference {
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** By what right a file is read: its reader's own upload, a job that names it, or an execution of such a job. */
export type FileSource =
  | { readonly uploadedBy: string }
  | { readonly jobId: string }
  | { readonly executionId: string; readonly leaseToken: string | undefined };

/** What can be asked of the files that jobs bring. */
export interface FileOperations {
  /** Keeps an upload of a caller; on disk when resolved. Refuses with PAYLOAD_TOO_LARGE or VALIDATION_ERROR. */
  putFile(upload: FileUpload, actor?: string): Promise<FileReference>;
  /**
   * Keeps the result of an execution, as JSON. Refuses with EXECUTION_NOT_FOUND, LEASE_SUPERSEDED or
   * PAYLOAD_TOO_LARGE.
   */
  putResult(executionId: string, upload: ResultUpload): Promise<FileReference>;
  /** Refuses with FILE_NOT_FOUND, and an execution with EXECUTION_NOT_FOUND or LEASE_SUPERSEDED. */
  getFile(sha256: string, source: FileSource): Promise<FileDownload>;
}
