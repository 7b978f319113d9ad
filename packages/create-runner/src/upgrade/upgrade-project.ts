import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { placeProject } from '../destination/place-project.js';
import { statOf } from '../destination/inspect-destination.js';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { buildProject, writeProject } from '../project/build-project.js';
import type { BuildOptions } from '../project/build-project.js';
import { VENDOR_FOLDER } from '../project/local-packages.js';
import { ORIGIN_FILE, readOrigin } from '../project/origin.js';
import type { Origin } from '../project/origin.js';
import { CONFLICT_START } from './merge-text.js';
import { planUpgrade } from './plan-upgrade.js';
import type { Change } from './plan-upgrade.js';

export interface UpgradeOptions extends Omit<BuildOptions, 'answers' | 'commands'> {
  /** The project's folder, absolute. */
  readonly path: string;
  readonly commandsOf: (pm: Origin['answers']['pm']) => BuildOptions['commands'];
  /** Only look. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export interface Upgrade {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly changes: readonly Change[];
}

/** The texts that are there of those files; a link or a folder in a file's place is not one of ours. */
function textsOf(path: string, files: readonly string[]): Record<string, string> {
  const found = files.filter((file) => statOf(join(path, file))?.isFile());
  return Object.fromEntries(found.map((file) => [file, readFileSync(join(path, file), 'utf8')]));
}

function refuseUndecided(mine: Readonly<Record<string, string>>): void {
  const marker = new RegExp(`^${CONFLICT_START} `, 'm');
  const undecided = Object.keys(mine).filter((file) => marker.test(mine[file] ?? ''));
  if (undecided.length === 0) return;
  throw new CreateRunnerError(
    `${undecided.join(', ')} still has places marked ${CONFLICT_START} of an earlier upgrade or merge. Decide them first, then upgrade again.`,
  );
}

const numbersOf = (version: string): number[] => version.split(/[.-]/, 3).map(Number);

/** Whether version `a` comes after `b`; of pre-releases only the numbers count. */
function isLater(a: string, b: string): boolean {
  const [one, other] = [numbersOf(a), numbersOf(b)];
  const index = one.findIndex((number, at) => number !== other[at]);
  return index >= 0 && (one[index] ?? 0) > (other[index] ?? 0);
}

const FROM_REGISTRY = 'takes the packages from the registry now; --packages DIR brings them along again';

function leavesVendor({ path, note }: Change, { files }: Origin): boolean {
  return (
    path === 'package.json' && note === undefined && (files[path] ?? '').includes(`file:./${VENDOR_FOLDER}/`)
  );
}

async function write(
  options: UpgradeOptions,
  built: { changes: readonly Change[]; origin: string; tarballs: readonly string[] },
): Promise<void> {
  const texts = built.changes.flatMap(({ path, text }) =>
    text === undefined ? [] : [[path, text] as const],
  );
  const files = new Map([...texts, [ORIGIN_FILE, built.origin] as const]);
  await placeProject(options.path, {
    force: true,
    write: async (folder) => writeProject(folder, { files, tarballs: built.tarballs }),
    remove: built.changes.filter(({ kind }) => kind === 'removed').map(({ path }) => path),
    signal: options.signal,
  });
}

/**
 * Brings the project up to the template of this version. What the person changed stays; what cannot be merged is marked.
 * Files are replaced and taken away together or not at all.
 */
export async function upgradeProject(options: UpgradeOptions): Promise<Upgrade> {
  const origin = readOrigin(options.path);
  if (isLater(origin.version, options.version)) {
    throw new CreateRunnerError(
      `${options.path} was made by create-runner ${origin.version}, and this is ${options.version}. Run npx create-runner@latest upgrade.`,
    );
  }
  const { answers } = origin;
  const built = await buildProject({ ...options, answers, commands: options.commandsOf(answers.pm) });
  const next = Object.fromEntries(built.files);
  delete next[ORIGIN_FILE];
  const mine = textsOf(options.path, [...new Set([...Object.keys(origin.files), ...Object.keys(next)])]);
  refuseUndecided(mine);
  const changes = planUpgrade({ base: origin.files, mine, next }).map((change) =>
    leavesVendor(change, origin) && options.packages === undefined
      ? { ...change, note: FROM_REGISTRY }
      : change,
  );
  if (!options.dryRun)
    await write(options, { changes, origin: built.files.get(ORIGIN_FILE) ?? '', tarballs: built.tarballs });
  return { name: answers.name, from: origin.version, to: options.version, changes };
}
