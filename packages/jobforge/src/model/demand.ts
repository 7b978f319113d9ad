import type { Concurrency, Placement } from '@controlplane/contracts';

/** What a runner must be, beyond offering the capability. */
export type Target = Pick<Placement, 'runner' | 'labels' | 'platform' | 'version' | 'servedBy'>;

/** What a job asks of a runner. */
export interface Demand {
  /** A capability's id. */
  readonly payloadType: string;
  /** One of a capability's supported job types. */
  readonly jobType: string;
  readonly target: Target | undefined;
  /** Files go with the job: only a runner that fetches them will do. */
  readonly needsFiles: boolean;
  /** The same text for demands that the same runners serve. */
  readonly key: string;
}

/** Everything that decides where and when a job may run, beside its order. */
export interface Terms {
  readonly demand: Demand;
  readonly affinity: string | undefined;
  readonly concurrency: Concurrency | undefined;
  readonly placement: Placement | undefined;
  readonly failsUnmatched: boolean;
  /** The same text for jobs that wait for the same. */
  readonly key: string;
}

/** A job as far as its terms go. */
export interface Wanted {
  readonly type: string;
  readonly payload: { readonly type: string; readonly dataFile?: unknown };
  readonly files?: readonly unknown[] | undefined;
  readonly placement?: Placement | undefined;
  readonly concurrency?: Concurrency | undefined;
}

const OS_NAMES: Readonly<Record<string, string>> = { macos: 'darwin', osx: 'darwin', windows: 'win32' };
const ARCH_NAMES: Readonly<Record<string, string>> = {
  amd64: 'x64',
  x86_64: 'x64',
  aarch64: 'arm64',
  i386: 'ia32',
  x86: 'ia32',
};

const named = (names: Readonly<Record<string, string>>, name: string): string => {
  const plain = name.toLowerCase();
  return names[plain] ?? plain;
};

/** One name of several that an operating system has. */
export const osName = (os: string): string => named(OS_NAMES, os);

/** One name of several that an architecture has. */
export const archName = (arch: string): string => named(ARCH_NAMES, arch);

function labelsText(labels: NonNullable<Placement['labels']>): [string, string[]][] {
  return Object.entries(labels)
    .map(([name, wanted]): [string, string[]] => [
      name,
      typeof wanted === 'string' ? [wanted] : wanted.toSorted(),
    ])
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function targetText({ runner, labels, platform, version, servedBy }: Target): string {
  const { os, arch } = platform ?? {};
  return JSON.stringify([
    runner ?? null,
    version ?? null,
    os === undefined ? null : osName(os),
    arch === undefined ? null : archName(arch),
    labels === undefined ? null : labelsText(labels),
    servedBy === 'id',
  ]);
}

function targetOf(placement: Placement | undefined): Target | undefined {
  if (placement === undefined) return undefined;
  const { runner, labels, platform, version, servedBy } = placement;
  const hasLabels = labels !== undefined && Object.keys(labels).length > 0;
  const hasPlatform = platform?.os !== undefined || platform?.arch !== undefined;
  const isPlain = runner === undefined && version === undefined && servedBy !== 'id';
  if (isPlain && !hasLabels && !hasPlatform) return undefined;
  return { runner, labels, platform, version, servedBy };
}

/** What a job asks of a runner. */
export function demandOf({ type, payload, placement, files }: Wanted): Demand {
  const target = targetOf(placement);
  const needsFiles = payload.dataFile !== undefined || (files !== undefined && files.length > 0);
  // The lengths keep two texts apart whose border nobody could tell; ordinary jobs pay for nothing else.
  const plain = `${payload.type.length}:${type.length}:${payload.type}${type}`;
  const aimed = target === undefined ? plain : plain + targetText(target);
  const key = needsFiles ? `${aimed}+files` : aimed;
  return { payloadType: payload.type, jobType: type, target, needsFiles, key };
}

/** Those of the job before, where that asked for nothing but its capability, as nearly all do. */
let plain: Terms | undefined;

/** Everything that decides where and when a job may run, beside its order. */
export function termsOf(wanted: Wanted): Terms {
  const isPlain =
    wanted.placement === undefined &&
    wanted.concurrency === undefined &&
    wanted.files === undefined &&
    wanted.payload.dataFile === undefined;
  if (!isPlain) return newTerms(wanted);
  const { payloadType, jobType } = plain?.demand ?? {};
  if (plain === undefined || payloadType !== wanted.payload.type || jobType !== wanted.type)
    plain = newTerms(wanted);
  return plain;
}

function newTerms(wanted: Wanted): Terms {
  const demand = demandOf(wanted);
  const { placement, concurrency } = wanted;
  const affinity = placement?.affinity;
  const failsUnmatched = placement?.noMatch === 'fail';
  if (affinity === undefined && concurrency === undefined)
    return { demand, affinity, concurrency, placement, failsUnmatched, key: demand.key };
  const key = `${demand.key}\n${JSON.stringify([affinity, concurrency?.key, concurrency?.limit])}`;
  return { demand, affinity, concurrency, placement, failsUnmatched, key };
}

/** Says what a demand asks of a runner beyond the capability, a few words each. */
export function needsOf({ payloadType, target, needsFiles }: Demand): string[] {
  const carrying = needsFiles ? ['the feature files'] : [];
  if (target === undefined) return carrying;
  const { runner, labels = {}, platform, version, servedBy } = target;
  const pairs = Object.entries(labels).map(([name, wanted]) => labelWords(name, wanted));
  const { os, arch } = platform ?? {};
  const where = [os ?? (arch && '*'), arch].filter((part) => part !== undefined && part !== '').join('/');
  return [
    ...(servedBy === 'id' ? [`a capability with the id ${payloadType}`] : []),
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(runner === undefined ? [] : [`runner ${runner}`]),
    ...(pairs.length === 0 ? [] : [`labels ${pairs.join(' ')}`]),
    ...(where === '' ? [] : [`platform ${where}`]),
    ...carrying,
  ];
}

/** A label that is asked for, as the command line takes it. */
export function labelWords(name: string, wanted: string | readonly string[]): string {
  return `${name}=${typeof wanted === 'string' ? wanted : wanted.join('|')}`;
}
