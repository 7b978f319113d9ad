import { closeSync, constants, fstatSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { CapabilityError, RunnerError } from '@controlplane/runner-sdk';

/** Where the kernel shows processes and devices as files: environments among them. */
const NEVER = ['/proc', '/sys', '/dev', '/run'];

const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
};

/** Folders that may be read, and the files that are opened in them. */
export interface AllowedFolders {
  /** Absolute, without symbolic links. */
  readonly folders: readonly string[];
  /** A folder inside, as a place to run in. */
  enter(path: string): string;
  /**
   * Opens a file or folder for reading. What was opened is what was checked: a link that is changed meanwhile leads
   * nowhere.
   * @returns a file descriptor
   */
  open(path: string, options: { readonly cwd: string; readonly kind: 'file' | 'folder' }): number;
}

const refused = (path: string, why: string): CapabilityError =>
  new CapabilityError('PATH_NOT_ALLOWED', `${JSON.stringify(path)} ${why}`, {
    retryable: false,
    category: 'AUTHORIZATION_ERROR',
    remedy: 'Ask for a file inside the folders that the capability allows.',
  });

function realFolder(path: string): string {
  try {
    const real = realpathSync(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    throw new RunnerError('INVALID_OPTION', `allow: ${JSON.stringify(path)} cannot be read`, {
      cause: error,
    });
  }
  throw new RunnerError('INVALID_OPTION', `allow: ${JSON.stringify(path)} is no folder`);
}

function checkFolder(folder: string, secretFolders: readonly string[]): void {
  const special = NEVER.find((never) => isWithin(folder, never) || isWithin(never, folder));
  if (special !== undefined)
    throw new RunnerError(
      'INVALID_OPTION',
      `allow: ${folder} would open ${special}, where processes show their environments; name folders of files`,
    );
  const secret = secretFolders.find((own) => isWithin(folder, own) || isWithin(own, folder));
  if (secret !== undefined)
    throw new RunnerError(
      'INVALID_OPTION',
      `allow: ${folder} would open ${secret}, where the runner keeps its secrets`,
    );
}

/** The path by which an open file is known now. */
function pathOf(fd: number, asked: string): string {
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${fd}`);
  const real = realpathSync(asked);
  const [opened, found] = [fstatSync(fd), statSync(real)];
  if (opened.ino === found.ino && opened.dev === found.dev) return real;
  throw refused(asked, 'was changed while it was opened');
}

function openQuietly(path: string, asked: string): number {
  try {
    // A pipe without a writer would never open.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // Where it lies is not said: it may be outside.
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new CapabilityError('FILE_NOT_READ', `${JSON.stringify(asked)} could not be opened (${code})`, {
      retryable: false,
      category: 'RESOURCE_NOT_FOUND',
    });
  }
}

/**
 * Checks the folders that may be read.
 * @param allow - paths of folders
 * @param secretFolders - folders that must not be inside, nor around
 * @throws RunnerError `INVALID_OPTION`
 */
export function createAllowedFolders(
  allow: readonly string[],
  secretFolders: readonly string[],
): AllowedFolders {
  const folders = allow.map(realFolder);
  for (const folder of folders) checkFolder(folder, secretFolders);
  const isAllowed = (path: string): boolean => folders.some((folder) => isWithin(path, folder));

  const check = (fd: number, asked: string, kind: 'file' | 'folder'): void => {
    const path = pathOf(fd, asked);
    if (!isAllowed(path)) throw refused(asked, 'lies outside the folders that may be read');
    const stat = fstatSync(fd);
    if (kind === 'file' ? !stat.isFile() : !stat.isFile() && !stat.isDirectory())
      throw refused(asked, 'is no ordinary file');
  };
  const open: AllowedFolders['open'] = (path, { cwd, kind }) => {
    const asked = resolve(cwd, path);
    // Before it is opened: opening alone may do something, and a refusal must not say what exists outside.
    if (!isAllowed(realOrSame(asked))) throw refused(path, 'lies outside the folders that may be read');
    const fd = openQuietly(asked, path);
    try {
      check(fd, path, kind);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  };
  return {
    folders,
    enter(path) {
      const fd = open(path, { cwd: folders[0] ?? '/', kind: 'folder' });
      closeSync(fd);
      return realpathSync(resolve(folders[0] ?? '/', path));
    },
    open,
  };
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
