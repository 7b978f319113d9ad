import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  FIXTURE_FILES,
  FIXTURE_LANGUAGES,
  isFixtureLanguage,
  readFixtureFile,
} from '../fixtures/fixture-files.js';
import { EXIT, UsageError } from './exit-codes.js';
import type { Terminal } from './terminal.js';

export interface FixturesFlags {
  readonly language: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * `contract-test fixtures`: writes the fixture capabilities as a file for a runner in another language.
 * @throws UsageError for a language that there is no file for, and for a file that is there already
 */
export function fixturesCommand(flags: FixturesFlags, { cwd, out }: Terminal): number {
  const { language, force = false, json = false } = flags;
  if (!isFixtureLanguage(language))
    throw new UsageError(
      `--language takes ${FIXTURE_LANGUAGES.join(', ')}, not "${language}"; in JavaScript and TypeScript import @controlplane/runner-sdk/conformance`,
    );
  const file = resolve(cwd, flags.out ?? FIXTURE_FILES[language]);
  try {
    writeFileSync(file, readFixtureFile(language), { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new UsageError(`${file} is there already: give --force to write over it`);
    throw new UsageError(`${file} cannot be written (${message})`);
  }
  out(json ? `${JSON.stringify({ language, file })}\n` : `${file}\n`);
  return EXIT.conformant;
}
