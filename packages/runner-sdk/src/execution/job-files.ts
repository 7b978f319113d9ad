import { createHash } from 'node:crypto';
import type { FileReference, JobFile } from '@controlplane/contracts';
import type { ContextFiles } from '../capability/context-files.js';
import { saveStream } from '../capability/save-stream.js';
import { RunnerError } from '../errors/runner-error.js';
import { overReason } from './announcements.js';
import type { HandlerScope } from './handler-scope.js';
import { operationOf } from './outcome.js';
import type { RunningExecution } from './running-executions.js';

/** A file that an execution reads, and how it is named where that goes wrong. */
export interface ReadFile {
  readonly file: FileReference;
  readonly words: string;
  /** Called while it is under way. */
  readonly onPiece?: (() => void) | undefined;
}

/** Reads a file of an execution's job, and breaks off at its end where it is not the one that was named. */
export async function* readVerified(
  scope: HandlerScope,
  execution: RunningExecution,
  { file, words, onPiece }: ReadFile,
): AsyncGenerator<Uint8Array> {
  const { capability, files, request } = execution;
  if (files?.open === undefined)
    throw new RunnerError(
      'FILE_MISSING',
      `${operationOf(capability)}: ${words} cannot be had: who sent the execution gives no files`,
    );
  const hash = createHash('sha256');
  for await (const piece of files.open(request, file, scope.deadlines.signalOf(execution))) {
    const over = overReason(execution);
    if (over) throw over;
    onPiece?.();
    hash.update(piece);
    yield piece;
  }
  const arrived = hash.digest('hex');
  if (arrived === file.sha256) return;
  throw new RunnerError(
    'FILE_MISMATCH',
    `${operationOf(capability)}: ${words} arrived with the SHA-256 ${arrived}, and the job names ${file.sha256}`,
  );
}

/** Makes the files of an execution's job, for its handler. */
export function createContextFiles(
  scope: HandlerScope,
  execution: RunningExecution,
  onPiece: () => void,
): ContextFiles {
  const { capability, request } = execution;
  const all: readonly JobFile[] = request.files ?? [];
  const find = (name: string): JobFile => {
    const file = all.find((one) => one.name === name);
    if (file !== undefined) return file;
    const known = all.length === 0 ? 'it has none' : `it has ${all.map((one) => one.name).join(', ')}`;
    const said = JSON.stringify(String(name).slice(0, 128));
    throw new RunnerError(
      'FILE_MISSING',
      `${operationOf(capability)}: the job has no file ${said}; ${known}`,
    );
  };
  const open = (name: string, file = find(name)): AsyncIterable<Uint8Array> =>
    readVerified(scope, execution, { file, words: `the file ${name}`, onPiece });
  return {
    list: () => all,
    open: (name) => open(name),
    async save(name, path) {
      const file = find(name);
      await saveStream(path, open(name, file));
      return file;
    },
  };
}
