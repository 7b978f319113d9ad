import { createHash } from 'node:crypto';
import { ArtifactName, type JobFile } from '@controlplane/contracts';

/** Files that a test gives a job, by name: bytes, or text that is written as UTF-8. */
export type BroughtFiles = Readonly<Record<string, Uint8Array | string>>;

/** Files of a job in memory. */
export interface KeptBytes {
  /** As an execution request names them; undefined where there are none. */
  readonly files: JobFile[] | undefined;
  readonly contentOf: (sha256: string) => Uint8Array | undefined;
}

/**
 * Keeps the files that a test brings.
 * @throws RangeError for a name that no control plane would take
 */
export function keepBrought(brought: BroughtFiles | undefined): KeptBytes {
  if (brought === undefined) return { files: undefined, contentOf: () => undefined };
  const bySha256 = new Map<string, Uint8Array>();
  const files = Object.entries(brought).map(([name, given]): JobFile => {
    const named = ArtifactName.safeParse(name);
    if (!named.success)
      throw new RangeError(
        `${JSON.stringify(name)} cannot be the name of a file: ${named.error.issues[0]?.message ?? ''}`,
      );
    // A copy: the test may go on to change what it handed over.
    const content = Buffer.from(given as Uint8Array);
    const sha256 = createHash('sha256').update(content).digest('hex');
    bySha256.set(sha256, content);
    return { name, sha256, bytes: content.length, contentType: 'application/octet-stream' };
  });
  return { files, contentOf: (sha256) => bySha256.get(sha256) };
}
