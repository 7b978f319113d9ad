/**
 * @module
 * destination/ keeps the person's files safe: what may be written where, and moving a finished project into place so
 * that a failure leaves nothing half made. Imports node:fs, node:path and errors/.
 */
import { lstatSync, readdirSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { CreateRunnerError } from '../errors/create-runner-error.js';

/** What a new folder commonly holds before its project does; nothing here is written or read by the templates. */
const HARMLESS = new Set([
  '.DS_Store',
  '.git',
  '.gitattributes',
  '.gitlab-ci.yml',
  '.hg',
  '.hgignore',
  '.idea',
  '.vscode',
  'LICENSE',
  'LICENSE.md',
  'LICENSE.txt',
  'Thumbs.db',
]);

const LISTED = 10;

export function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

export interface Destination {
  /** Absolute. */
  readonly path: string;
  readonly exists: boolean;
}

function listed(names: readonly string[]): string {
  const more = names.length > LISTED ? `\n  … and ${names.length - LISTED} more` : '';
  return (
    names
      .slice(0, LISTED)
      .map((name) => `  ${name}`)
      .join('\n') + more
  );
}

function refuseStrangers(path: string): void {
  const strangers = readdirSync(path)
    .filter((name) => !HARMLESS.has(name))
    .sort();
  if (strangers.length === 0) return;
  throw new CreateRunnerError(
    `${path} is not empty:\n${listed(strangers)}\nUse another folder (--dir), or --force to keep these and replace files of the same name.`,
    { flag: '--force' },
  );
}

/**
 * Whether a project may be created at `path`. Refuses a file, a symbolic link, and a folder that holds anything but
 * harmless files, naming what is in the way; `force` admits such a folder.
 */
export function inspectDestination(path: string, options: { readonly force: boolean }): Destination {
  const stat = statOf(path);
  if (stat === undefined) return { path, exists: false };
  if (stat.isSymbolicLink()) {
    throw new CreateRunnerError(
      `${path} is a symbolic link, which is never followed. Name the folder that it points to (--dir).`,
      {
        flag: '--dir',
      },
    );
  }
  if (!stat.isDirectory()) {
    throw new CreateRunnerError(
      `${path} exists and is not a folder. Use another name or another folder (--dir).`,
      { flag: '--dir' },
    );
  }
  if (!options.force) refuseStrangers(path);
  return { path, exists: true };
}

/** Refuses files that would land behind a symbolic link or in place of a folder below `destination`. */
export function refuseUnsafePaths(destination: string, files: readonly string[]): void {
  for (const file of files) {
    const stat = statOf(join(destination, file));
    if (stat !== undefined && !stat.isFile()) {
      const kind = stat.isSymbolicLink() ? 'a symbolic link' : 'a folder';
      throw new CreateRunnerError(
        `${join(destination, file)} is ${kind} and is not replaced, also not with --force. Move it away first.`,
      );
    }
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
      const above = statOf(join(destination, folder));
      if (above !== undefined && !above.isDirectory()) {
        throw new CreateRunnerError(
          `${join(destination, folder)} is not a folder of its own; nothing is written through it. Move it away first.`,
        );
      }
    }
  }
}
