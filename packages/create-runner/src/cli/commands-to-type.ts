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
export const RUN: Record<PackageManager, string> = {
  npm: 'npm run',
  pnpm: 'pnpm run',
  yarn: 'yarn run',
  bun: 'bun run',
};
/** How each runs a command that a dependency brings. */
export const EXECUTE: Record<PackageManager, string> = {
  npm: 'npx',
  pnpm: 'pnpm exec',
  yarn: 'yarn',
  bun: 'bunx',
};

export interface NextOptions {
  readonly answers: Answers;
  readonly installed: boolean;
}

/** What to type next: into the folder, install, start, and in another terminal the first job. */
export function nextCommands({ answers, installed }: NextOptions): string[] {
  const folder = answers.dir.replace(/^\.\//, '');
  return [
    ...(folder === '' || folder === '.'
      ? []
      : [`cd ${quoted(folder.startsWith('-') ? `./${folder}` : folder)}`]),
    ...(installed ? [] : [INSTALL[answers.pm].join(' ')]),
    `${RUN[answers.pm]} dev`,
    `${EXECUTE[answers.pm]} jobforge job submit hello.greet '{"name":"Ada"}' --follow`,
  ];
}
