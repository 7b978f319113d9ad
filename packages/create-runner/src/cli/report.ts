import type { CreateRunnerError } from '../errors/create-runner-error.js';
import type { AddedCapability } from '../additions/add-capability.js';
import type { Change } from '../upgrade/plan-upgrade.js';
import type { Upgrade } from '../upgrade/upgrade-project.js';
import { templateOf } from '../project/templates.js';
import type { AddedRunner } from '../additions/add-to-express.js';
import type { Answers, PackageManager } from './options.js';

/** What `--json` prints after a project was created. */
export interface CreatedReport {
  /** The project's folder, absolute. */
  readonly created: string;
  /** Relative to it, with `/`. */
  readonly files: readonly string[];
  /** Commands to type, in order. */
  readonly next: readonly string[];
}

/** What `--json` prints when none was. */
export interface FailedReport {
  readonly created: null;
  readonly files: readonly [];
  readonly next: readonly [];
  readonly error: { readonly message: string; readonly flag?: string };
}

export function failedReport(error: CreateRunnerError): FailedReport {
  const flag = error.flag === undefined ? {} : { flag: error.flag };
  return { created: null, files: [], next: [], error: { message: error.message, ...flag } };
}

/** The three lines that a person reads. All but the last command are one line to copy. */
export function createdText(
  report: CreatedReport,
  options: { readonly answers: Answers; readonly elapsedMs: number },
): string {
  const start = report.next.slice(0, -1).join(' && ');
  const { name, template, delivery } = options.answers;
  const kind = `${templateOf(template).language}, ${delivery}`;
  return `✔ Created ${name} (${kind}) in ${(options.elapsedMs / 1000).toFixed(1)} s\n  ${start}`;
}

/** What `upgrade --json` prints. */
export interface UpgradeReport {
  /** The project's folder, absolute; null where it was only looked. */
  readonly upgraded: string | null;
  readonly from: string;
  readonly to: string;
  readonly changes: readonly Omit<Change, 'text'>[];
}

export function upgradeReport(
  { from, to, changes }: Upgrade,
  { path, dryRun }: { readonly path: string; readonly dryRun: boolean },
): UpgradeReport {
  const named = changes.map(({ path: file, kind, note }) => ({
    path: file,
    kind,
    ...(note === undefined ? {} : { note }),
  }));
  return { upgraded: dryRun ? null : path, from, to, changes: named };
}

export function upgradeText({ name, from, to, changes }: Upgrade, dryRun: boolean): string {
  if (changes.length === 0) return `✔ ${name} is up to date (${to})`;
  const did = dryRun ? 'Would upgrade' : 'Upgraded';
  const rows = changes.map(
    ({ path, kind, note }) => `  ${kind.padEnd(9)} ${path}${note === undefined ? '' : `: ${note}`}`,
  );
  const hasConflicts = changes.some(({ kind }) => kind === 'conflict');
  const mark = hasConflicts || dryRun ? '!' : '✔';
  return [`${mark} ${did} ${name} from ${from} to ${to}`, ...rows].join('\n');
}

export function addedRunnerText({ name, files, install, lines }: AddedRunner, pm: PackageManager): string {
  const add = pm === 'npm' ? 'npm install' : `${pm} add`;
  return [
    `✔ Added the runner ${name}`,
    ...files.map((file) => `  ${file}`),
    'Nothing else was touched. What is left:',
    `  ${add} ${install.join(' ')}`,
    'and in the program that starts the application:',
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}

export function addedText(id: string, { files, byHand }: AddedCapability): string {
  const rows = files.map((file) => `  ${file}`);
  const left =
    byHand.length === 0
      ? []
      : [
          'The runner is not written as the template had it; add by hand:',
          ...byHand.map((line) => `  ${line}`),
        ];
  return [`✔ Added ${id}`, ...rows, ...left].join('\n');
}
