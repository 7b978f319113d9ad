import { mkdirSync, mkdtempSync, renameSync, rmSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { inspectDestination, refuseUnsafePaths, statOf } from './inspect-destination.js';
import type { Destination } from './inspect-destination.js';

const ROOM_FOR_PROJECT = 'project';
const ROOM_FOR_REPLACED = 'replaced';

export interface PlaceOptions {
  readonly force: boolean;
  /** Writes the project into the folder that it is given; returns the files, relative, with `/`. */
  readonly write: (folder: string) => Promise<readonly string[]>;
  /** Aborted: nothing is moved into place. */
  readonly signal?: AbortSignal;
}

/** A step done, and how to undo it. */
type Undo = () => void;

function undoAll(undos: readonly Undo[]): void {
  for (const undo of [...undos].reverse()) undo();
}

/** Makes the folders that lead to `path`; the undo takes away those it made. */
function makeFolders(path: string): Undo {
  const first = mkdirSync(path, { recursive: true });
  return () => {
    for (let folder = path; first !== undefined && folder.length >= first.length; folder = dirname(folder))
      rmdirSync(folder);
  };
}

function moveFile(
  file: string,
  options: { readonly from: string; readonly to: string; readonly replaced: string },
): Undo[] {
  const target = join(options.to, file);
  const undos: Undo[] = [makeFolders(dirname(target))];
  if (statOf(target) !== undefined) {
    const kept = join(options.replaced, file);
    mkdirSync(dirname(kept), { recursive: true });
    renameSync(target, kept);
    undos.push(() => renameSync(kept, target));
  }
  renameSync(join(options.from, file), target);
  undos.push(() => rmSync(target));
  return undos;
}

/** File by file into a folder that exists; when one cannot be moved, those before it are taken back. */
function moveInto(destination: Destination, staging: string, files: readonly string[]): void {
  refuseUnsafePaths(destination.path, files);
  const undos: Undo[] = [];
  try {
    for (const file of files) {
      undos.push(
        ...moveFile(file, {
          from: join(staging, ROOM_FOR_PROJECT),
          to: destination.path,
          replaced: join(staging, ROOM_FOR_REPLACED),
        }),
      );
    }
  } catch (error) {
    undoAll(undos);
    throw error;
  }
}

function cannotWrite(path: string, error: unknown): CreateRunnerError {
  if (error instanceof CreateRunnerError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CreateRunnerError(`${path} could not be created: ${reason}. Nothing was left behind.`, {
    cause: error,
  });
}

/**
 * Creates the project at `path`: written to a temporary folder beside it, then moved, so that it is there whole or not
 * at all. Returns the files, relative to `path`.
 */
export async function placeProject(path: string, options: PlaceOptions): Promise<readonly string[]> {
  const destination = inspectDestination(path, options);
  const undos: Undo[] = [];
  try {
    undos.push(makeFolders(dirname(path)));
    const staging = mkdtempSync(join(dirname(path), `.${basename(path)}-`));
    undos.push(() => rmSync(staging, { recursive: true, force: true }));
    const project = join(staging, ROOM_FOR_PROJECT);
    mkdirSync(project);
    const files = await options.write(project);
    options.signal?.throwIfAborted();
    if (destination.exists) moveInto(destination, staging, files);
    else renameSync(project, path);
    rmSync(staging, { recursive: true, force: true });
    return files;
  } catch (error) {
    undoAll(undos);
    throw cannotWrite(path, error);
  }
}
