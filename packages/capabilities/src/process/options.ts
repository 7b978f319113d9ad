/**
 * @module
 * Programs that a capability starts: their environment, output, limits and end. Knows nothing of what they are for.
 * This file alone reads the environment of the runner. Imports the SDK's public entry and Node.
 */
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The variables of this process. */
export function ownEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** Folder of the runner's state, where it has one. */
export function stateDirectoryOf(option: string | undefined): string | undefined {
  return option ?? (process.env['RUNNER_STATE_DIR'] || undefined);
}

/**
 * Folder for the records of what runs: in the runner's state directory, else one of this user's own among the
 * temporary files, shared by all runners of this user.
 */
export function ledgerDirectoryOf(stateDirectory: string | undefined): string {
  return recordsOf('processes', stateDirectory);
}

/** Folder for the records of containers, as that of programs. */
export function containerLedgerDirectoryOf(stateDirectory: string | undefined): string {
  return recordsOf('containers', stateDirectory);
}

function recordsOf(kind: string, stateDirectory: string | undefined): string {
  const state = stateDirectoryOf(stateDirectory);
  return state ? join(state, kind) : join(tmpdir(), `controlplane-${kind}-${userInfo().uid}`);
}

/** Folder for the files that containers are given and leave. */
export function containerFolderOf(workDirectory: string | undefined): string {
  return workDirectory ?? join(tmpdir(), `controlplane-container-files-${userInfo().uid}`);
}

/** Folder in which scripts work: of this user's own, among the temporary files. */
export function scriptFolderOf(workDirectory: string | undefined): string {
  return workDirectory ?? join(tmpdir(), `controlplane-scripts-${userInfo().uid}`);
}
