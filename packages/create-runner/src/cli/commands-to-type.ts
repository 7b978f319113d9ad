import type { Commands } from '../project/project-data.js';
import { templateOf } from '../project/templates.js';
import type { Answers, PackageManager } from './options.js';

/** Quotes a word for a POSIX shell, where that is needed. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export const INSTALL: Record<PackageManager, readonly string[]> = {
  npm: ['npm', 'install'],
  pnpm: ['pnpm', 'install'],
  yarn: ['yarn', 'install'],
  bun: ['bun', 'install'],
};

/** How each runs a script of the project. */
const RUN: Record<PackageManager, string> = {
  npm: 'npm run',
  pnpm: 'pnpm run',
  yarn: 'yarn run',
  bun: 'bun run',
};
/** How each runs a command that a dependency brings. */
const EXECUTE: Record<PackageManager, string> = {
  npm: 'npx',
  pnpm: 'pnpm exec',
  yarn: 'yarn',
  bun: 'bunx',
};

/** As the texts of a template name them. */
export function commandsOf(pm: PackageManager): Commands {
  return { run: RUN[pm], execute: EXECUTE[pm], install: INSTALL[pm].join(' ') };
}

export interface NextOptions {
  readonly answers: Answers;
  readonly installed: boolean;
}

/** What to type next: into the folder, install, start, and in another terminal the first job. */
export function nextCommands({ answers, installed }: NextOptions): string[] {
  const folder = answers.dir.replace(/^\.\//, '');
  const { capability, job } = templateOf(answers.template);
  return [
    ...(folder === '' || folder === '.'
      ? []
      : [`cd ${quoted(folder.startsWith('-') ? `./${folder}` : folder)}`]),
    ...(installed ? [] : [INSTALL[answers.pm].join(' ')]),
    `${RUN[answers.pm]} dev`,
    `${EXECUTE[answers.pm]} jobforge job submit ${capability.id} ${quoted(job.input)} --follow`,
  ];
}
