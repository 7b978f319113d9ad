import { mkdirSync, mkdtempSync, renameSync, rmSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { inspectDestination, refuseUnsafePaths, statOf } from './inspect-destination.js';

const ROOM_FOR_PROJECT = 'project';
const ROOM_FOR_REPLACED = 'replaced';

export interface PlaceOptions {
  readonly force: boolean;
  /** Writes the project into the folder that it is given; returns the files, relative, with `/`. */
  readonly write: (folder: string) => Promise<readonly string[]>;
  /** Files that are taken away in the same step, relative, with `/`. */
  readonly remove?: readonly string[];
  /** Aborted: nothing is moved into place. */
  readonly signal?: AbortSignal;
}

/** A step done, and how to undo it. */
type Undo = () => void;

/** The last step first, each of them; returns what went wrong. */
function undoAll(undos: readonly Undo[]): unknown[] {
  return [...undos].reverse().flatMap((undo) => {
    try {
      undo();
      return [];
    } catch (error) {
      return [error];
    }
  });
}

/** Makes the folders that lead to `path`; the undo takes away those it made. */
function makeFolders(path: string): Undo {
  const first = mkdirSync(path, { recursive: true });
  return () => {
    for (let folder = path; first !== undefined && folder.length >= first.length; folder = dirname(folder))
      rmdirSync(folder);
  };
}

interface Rooms {
  readonly from: string;
  readonly to: string;
  readonly replaced: string;
}

/** Keeps what is there in `replaced`, from where it comes back when a later step fails. */
function setAside(file: string, { to, replaced }: Rooms, undos: Undo[]): void {
  const target = join(to, file);
  if (statOf(target) === undefined) return;
  const kept = join(replaced, file);
  mkdirSync(dirname(kept), { recursive: true });
  renameSync(target, kept);
  undos.push(() => renameSync(kept, target));
}

/** Each step's undo is noted as soon as it is done, so that a failure in the middle of a file loses nothing. */
function moveFile(file: string, rooms: Rooms, undos: Undo[]): void {
  const target = join(rooms.to, file);
  undos.push(makeFolders(dirname(target)));
  setAside(file, rooms, undos);
  renameSync(join(rooms.from, file), target);
  undos.push(() => rmSync(target));
}

interface Moves {
  readonly files: readonly string[];
  readonly remove: readonly string[];
}

/** File by file into a folder that exists. */
function moveInto(rooms: Rooms, { files, remove }: Moves, undos: Undo[]): void {
  refuseUnsafePaths(rooms.to, [...files, ...remove]);
  for (const file of remove) setAside(file, rooms, undos);
  for (const file of files) moveFile(file, rooms, undos);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function cannotWrite(path: string, error: unknown, left: unknown): CreateRunnerError {
  if (error instanceof CreateRunnerError) return error;
  const rest =
    left === undefined ? 'Nothing was left behind.' : `Not everything was cleared away: ${reasonOf(left)}.`;
  return new CreateRunnerError(`${path} could not be created: ${reasonOf(error)}. ${rest}`, { cause: error });
}

function cannotUndo(error: unknown, options: { readonly staging: string; readonly why: unknown }): Error {
  return new CreateRunnerError(
    `${reasonOf(error)}. Not everything could be put back (${reasonOf(options.why)}): your own files are in ${join(options.staging, ROOM_FOR_REPLACED)}. Move them from there.`,
    { cause: error },
  );
}

/**
 * Creates the project at `path`: written to a temporary folder (beside it, or in it where it exists: what is moved stays
 * on one file system), then moved, so that it is there whole or not at all. Returns the files, relative to `path`.
 */
export async function placeProject(path: string, options: PlaceOptions): Promise<readonly string[]> {
  const destination = inspectDestination(path, options);
  const made: Undo[] = [];
  const moved: Undo[] = [];
  let staging = '';
  try {
    made.push(makeFolders(dirname(path)));
    staging = mkdtempSync(
      destination.exists ? join(path, '.new-') : join(dirname(path), `.${basename(path)}-`),
    );
    made.push(() => rmSync(staging, { recursive: true, force: true }));
    const project = join(staging, ROOM_FOR_PROJECT);
    mkdirSync(project);
    const files = await options.write(project);
    options.signal?.throwIfAborted();
    const rooms = { from: project, to: path, replaced: join(staging, ROOM_FOR_REPLACED) };
    if (destination.exists) moveInto(rooms, { files, remove: options.remove ?? [] }, moved);
    else renameSync(project, path);
    // From here on nothing is taken back: what was replaced may be gone.
    moved.length = 0;
    rmSync(staging, { recursive: true, force: true });
    return files;
  } catch (error) {
    const [why] = undoAll(moved);
    if (why !== undefined) throw cannotUndo(error, { staging, why });
    const [left] = undoAll(made);
    throw cannotWrite(path, error, left);
  }
}
