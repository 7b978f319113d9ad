import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RunnerError } from '../errors/runner-error.js';
import { sayThrown } from '../util/safe-json.js';
import { isPath, type ArtifactContent, type ArtifactOptions } from './artifact-content.js';

/** A file as it crosses over from a thread or process: streams cross as files. */
export interface PortableArtifact extends ArtifactOptions {
  readonly name: string;
  readonly content: Uint8Array | string | { readonly path: string };
}

async function spooled<Left>(
  { name, content }: { readonly name: string; readonly content: AsyncIterable<Uint8Array | string> },
  leave: (path: string) => Promise<Left>,
): Promise<Left> {
  const folder = await mkdtemp(join(tmpdir(), 'artifact-'));
  try {
    const path = join(folder, 'content');
    await pipeline(content, createWriteStream(path, { mode: 0o600 })).catch((cause: unknown) => {
      const why = `the artifact ${name} could not be read: ${sayThrown(cause)}`;
      throw new RunnerError('ARTIFACT_REFUSED', why, { cause });
    });
    return await leave(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Leaves a file from a thread or process of its own, through the runner.
 * @param ask - hands it over; resolves to what the runner says of it
 */
export async function leaveIsolated<Left>(
  name: string,
  { content, ...options }: ArtifactOptions & { readonly content: ArtifactContent },
  ask: (artifact: PortableArtifact) => Promise<Left>,
): Promise<Left> {
  if (typeof content === 'string' || content instanceof Uint8Array) return ask({ name, content, ...options });
  if (isPath(content)) return ask({ name, content: { path: resolve(content.path) }, ...options });
  return spooled({ name, content }, (path) => ask({ name, content: { path }, ...options }));
}
