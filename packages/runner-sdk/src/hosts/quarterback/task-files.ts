import { createHash } from 'node:crypto';
import type { QuarterbackAssignment } from '@controlplane/contracts/quarterback';
import { backoffMs } from '../../util/backoff.js';
import { sleep } from '../../util/clock.js';
import type { HostedRunner } from '../host.js';
import { isPermanent, type Answer } from '../refusals.js';
import type { QuarterbackWork } from './options.js';

/** What files are fetched with. */
export interface TaskFilesOptions {
  readonly runner: Pick<HostedRunner, 'clock' | 'random'>;
  readonly maxBytes: number;
  /** Fetches one, by the name that the control plane knows it by. Must not reject. */
  fetchFile(
    name: string,
    limit: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Answer<Buffer>>;
  readonly signal: AbortSignal;
}

const ATTEMPTS = 4;
const BACKOFF = { minMs: 250, maxMs: 5_000 };

interface Wanted {
  readonly name: string;
  readonly sha256: string | undefined;
}

/** The last part of a path of either kind: what came with folders is put into one. */
function baseName(file: string): string {
  const name = file.split(/[/\\]/).at(-1) ?? '';
  if (name === '' || name === '.' || name === '..' || /[\0\n]/.test(name))
    throw new Error(`${JSON.stringify(file)} is no name of a file`);
  return name;
}

/**
 * The files that come with an assignment, under the names that the task finds them by.
 * @throws Error where two have one name, or not each has its checksum
 */
export function wantedFiles({ files, file_checksums: sums }: QuarterbackAssignment): Wanted[] {
  const given = files ?? [];
  const checksums = sums ?? [];
  if (checksums.length > 0 && checksums.length !== given.length)
    throw new Error(`the task has ${given.length} files and ${checksums.length} checksums`);
  const wanted = given.map((file, at) => ({
    name: baseName(file),
    sha256: checksums[at]?.toLowerCase() || undefined,
  }));
  const names = wanted.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return wanted;
  throw new Error(`two files of the task have the name ${JSON.stringify(twice)}`);
}

async function fetchOne(
  { name, sha256 }: Wanted,
  maxBytes: number,
  { runner, fetchFile, signal }: TaskFilesOptions,
): Promise<Buffer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetchFile(name, { maxBytes, signal });
    if (answer.ok) {
      const found = createHash('sha256').update(answer.value).digest('hex');
      if (sha256 === undefined || sha256 === found) return answer.value;
      throw new Error(`the file ${JSON.stringify(name)} has the SHA-256 ${found}, not ${sha256}`);
    }
    if (signal.aborted || isPermanent(answer) || attempt + 1 >= ATTEMPTS)
      throw new Error(`the file ${JSON.stringify(name)} could not be fetched: ${answer.message}`);
    const delayMs = backoffMs(attempt, BACKOFF, runner.random());
    await sleep(runner.clock, Math.max(delayMs, answer.retryAfterMs ?? 0), signal);
  }
}

/**
 * Fetches what comes with an assignment, and looks at its checksums.
 * @throws Error with what is wrong, in words
 */
export async function fetchTaskFiles(
  assignment: QuarterbackAssignment,
  options: TaskFilesOptions,
): Promise<QuarterbackWork['files']> {
  let leftBytes = options.maxBytes;
  const files: Array<QuarterbackWork['files'][number]> = [];
  for (const wanted of wantedFiles(assignment)) {
    const content = await fetchOne(wanted, leftBytes, options);
    leftBytes -= content.length;
    files.push({ name: wanted.name, content: content.toString('base64'), encoding: 'base64' });
  }
  return files;
}
