import type { JsonObject, LogLevel } from '@controlplane/contracts';

/** A log line or a piece of a child's output, with its place in the job's history. */
export interface LogPiece {
  readonly attempt: number;
  readonly eventSeq: number;
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: JsonObject | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

/** What a row of the log holds beside its place. */
export interface LogData {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: JsonObject | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
  /** Where the piece belongs to both halves: what of it is in the first one. */
  readonly head?: string | undefined;
  /** What was left out before `message`. */
  readonly gap?: { readonly bytes: number; readonly events: number } | undefined;
}

export interface LogPlace {
  readonly attempt: number;
  readonly eventSeq: number;
}

export interface LogRow extends LogPlace {
  readonly at: number;
  readonly data: LogData;
}

/** What has to be written so that the store has the record as it is. */
export interface LogChanges {
  readonly put: readonly LogRow[];
  readonly remove: readonly LogPlace[];
}
