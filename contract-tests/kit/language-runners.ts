import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandTarget } from '@controlplane/contract-test-kit';

/** A runner that is written from docs/write-a-runner-in-any-language.md, without an SDK. */
export interface LanguageRunner {
  readonly language: 'python' | 'go' | 'shell';
  /** Programs without which it cannot be started. */
  readonly programs: readonly string[];
  /** SHOULDs that it does not keep, and says so. */
  readonly warnings: readonly string[];
  readonly build?: readonly [program: string, ...arguments: string[]];
  readonly command: string;
}

export const LANGUAGE_RUNNERS: readonly LanguageRunner[] = [
  { language: 'python', programs: ['python3'], warnings: [], command: 'python3 runner.py' },
  {
    language: 'go',
    programs: ['go'],
    warnings: [],
    build: ['go', 'build', '-o', 'runner', '.'],
    command: './runner',
  },
  {
    language: 'shell',
    programs: ['busybox', 'curl', 'jq', 'timeout'],
    // busybox answers unknown paths itself.
    warnings: ['errors.unknown-route'],
    command: 'sh runner.sh',
  },
];

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The programs that are not on this machine. */
export function missingPrograms({ programs }: LanguageRunner): readonly string[] {
  return programs.filter(
    (program) => spawnSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status !== 0,
  );
}

/** Does in a folder what the page says: the runner, the fixtures from the kit's own command, a build. */
export function prepareRunner({ language, build, command }: LanguageRunner, folder: string): CommandTarget {
  cpSync(path(`../runners/${language}`), folder, { recursive: true });
  const kit = path('../../packages/contract-test-kit/bin/contract-test.js');
  execFileSync(process.execPath, [kit, 'fixtures', '--language', language], { cwd: folder });
  if (build) {
    const [program, ...args] = build;
    execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return { kind: 'command', command, cwd: folder };
}
