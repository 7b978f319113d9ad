import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';

/** What is known of a folder on this machine. */
export interface FolderFacts {
  /** Permission bits, such as 0o700. */
  readonly mode: number;
  readonly writable: boolean;
  readonly freeBytes: number;
  /** Whether the system knows permission bits. */
  readonly hasModes: boolean;
}

/** What `doctor` asks of the machine that it runs on. */
export interface MachineFacts {
  /** Undefined where there is no such folder. */
  folder(path: string): Promise<FolderFacts | undefined>;
  /** Whether something listens at an address of this machine. */
  isTaken(address: { readonly host: string; readonly port: number }): Promise<boolean>;
}

async function folder(path: string): Promise<FolderFacts | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return undefined;
  const [{ bavail, bsize }, writable] = await Promise.all([
    statfs(path),
    access(path, constants.W_OK).then(
      () => true,
      () => false,
    ),
  ]);
  return {
    ...{ mode: found.mode & 0o777, writable, freeBytes: bavail * bsize },
    hasModes: process.platform !== 'win32',
  };
}

function isTaken({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    probe.listen(port, host, () => probe.close(() => resolve(false)));
  });
}

/** This machine. */
export const machineFacts: MachineFacts = { folder, isTaken };
