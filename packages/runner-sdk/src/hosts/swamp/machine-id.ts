import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostedRunner } from '../host.js';

const FILE = 'machine-id';

/**
 * The id that an enrollment token is bound to: the one of swamp's own runner where its folder is named, so that a runner
 * that takes its place needs no other token; else the machine's as the runner has it.
 * @throws Error when the folder can be neither read nor written
 */
export async function machineIdFor(runner: HostedRunner, cacheDir: string | undefined): Promise<string> {
  if (cacheDir === undefined) return runner.describe().machineId ?? runner.instanceId;
  const path = join(cacheDir, FILE);
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (kept.trim() !== '') return kept.trim();
  const made = randomUUID();
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  await writeFile(path, made, { mode: 0o600 });
  return made;
}
