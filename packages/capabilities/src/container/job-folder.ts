import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CapabilityError, isCapabilityError } from '@controlplane/runner-sdk';
import { makePrivateFolder } from '../process/private-folder.js';
import type { ContainerFile } from './container-input.js';

const MAX_ARTIFACTS = 1_000;

/** The folder of one execution: what its container is given and leaves. */
export interface JobFolder {
  readonly path: string;
  readonly input: string;
  readonly output: string;
  /** A file with variables, for the engine alone. */
  readonly envFile: string;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function bytesOf({ name, content, encoding = 'utf8', sha256: expected }: ContainerFile): Buffer {
  const bytes = Buffer.from(content, encoding);
  const found = sha256(bytes);
  if (expected === undefined || expected === found) return bytes;
  throw new CapabilityError(
    'FILE_CORRUPT',
    `the file ${JSON.stringify(name)} has the SHA-256 ${found}, not ${expected}`,
    {
      retryable: false,
      category: 'VALIDATION_ERROR',
    },
  );
}

function checkNames(files: readonly ContainerFile[]): void {
  const names = files.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new CapabilityError('FILE_CORRUPT', `two files have the name ${JSON.stringify(twice)}`, {
    retryable: false,
    category: 'VALIDATION_ERROR',
  });
}

/**
 * Makes the folder of one execution. Whatever user the container runs as may read its input and write its output; nobody
 * else on this machine gets there.
 * @throws CapabilityError `FILE_CORRUPT`
 */
export function makeJobFolder(root: string, files: readonly ContainerFile[]): JobFolder {
  checkNames(files);
  const contents = files.map((file) => [file.name, bytesOf(file)] as const);
  makePrivateFolder(root, 0o700);
  const path = mkdtempSync(join(root, 'job-'));
  const [input, output] = [join(path, 'input'), join(path, 'output')];
  for (const [folder, mode] of [
    [input, 0o755],
    [output, 0o777],
  ] as const) {
    mkdirSync(folder);
    chmodSync(folder, mode);
  }
  for (const [name, bytes] of contents) {
    writeFileSync(join(input, name), bytes);
    chmodSync(join(input, name), 0o644);
  }
  return { path, input, output, envFile: join(path, 'variables') };
}

/** A container may leave links to anywhere: only what is a file itself counts. */
function* filesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(folder).sort(byText)) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) yield* filesBelow(path);
    else if (stat.isFile()) yield path;
  }
}

const byText = (one: string, other: string): number => (one < other ? -1 : 1);

const tooLarge = (what: string): CapabilityError =>
  new CapabilityError('ARTIFACTS_TOO_LARGE', `the container left ${what}`, {
    retryable: false,
    category: 'VALIDATION_ERROR',
    remedy: 'Leave less in /job/output, or raise `maxArtifactBytes` of the capability.',
  });

/** A file that a container left. */
export interface LeftFile {
  /** Below the output folder. */
  readonly path: string;
  /** On this machine. */
  readonly file: string;
}

function findFiles({ output }: JobFolder, maxBytes: number): readonly LeftFile[] {
  const found: LeftFile[] = [];
  let bytes = 0;
  for (const file of filesBelow(output)) {
    bytes += lstatSync(file).size;
    if (bytes > maxBytes) throw tooLarge(`more than ${maxBytes} bytes of files`);
    if (found.length >= MAX_ARTIFACTS) throw tooLarge(`more than ${MAX_ARTIFACTS} files`);
    found.push({ path: relative(output, file), file });
  }
  return found;
}

/**
 * What a container left, once it has ended.
 * @param maxBytes - of all files together; more is an error
 * @throws CapabilityError `ARTIFACTS_TOO_LARGE`, `ARTIFACTS_UNREADABLE`
 */
export function leftFiles(folder: JobFolder, maxBytes: number): readonly LeftFile[] {
  try {
    return findFiles(folder, maxBytes);
  } catch (error) {
    if (isCapabilityError(error)) throw error;
    const message = `what the container left cannot be read: ${String(error)}`;
    throw new CapabilityError('ARTIFACTS_UNREADABLE', message, {
      retryable: false,
      cause: error,
      remedy: 'Let the container leave its files in /job/output readable for everybody.',
    });
  }
}

/** Takes the folder away; false where files of other users are in the way. */
export function removeJobFolder({ path }: JobFolder): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}
