import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders that one test makes, removed after it. */
export function openFolders(): { readonly inFolder: () => string; readonly remove: () => void } {
  const folders: string[] = [];
  return {
    inFolder() {
      const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
      folders.push(folder);
      return folder;
    },
    remove() {
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
