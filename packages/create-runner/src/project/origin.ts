import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import type { ProjectAnswers } from './project-data.js';
import { TEMPLATE_NAMES } from './templates.js';

/** Kept in the project, so that it can be brought up to a later version of its template. */
export const ORIGIN_FILE = '.create-runner.json';

/** What a project was made from. */
export interface Origin {
  /** Of create-runner. */
  readonly version: string;
  readonly answers: ProjectAnswers;
  /** Each file as the template had it: what is different by now, a person changed. */
  readonly files: Readonly<Record<string, string>>;
}

export function originText(origin: Origin): string {
  return `${JSON.stringify(origin, null, 2)}\n`;
}

function isOrigin(value: unknown): value is Origin {
  const { version, answers, files } = (value ?? {}) as Partial<Origin>;
  return (
    typeof version === 'string' &&
    typeof files === 'object' &&
    files !== null &&
    Object.values(files).every((text) => typeof text === 'string') &&
    typeof answers === 'object' &&
    answers !== null &&
    TEMPLATE_NAMES.includes(answers.template)
  );
}

/** Relative, with `/`, and nowhere else than below the project's folder. */
function isInside(file: string): boolean {
  return !file.includes('\\') && file.split('/').every((part) => !['', '.', '..'].includes(part));
}

/** What the project in that folder was made from. Throws where there is none. */
export function readOrigin(folder: string): Origin {
  const file = join(folder, ORIGIN_FILE);
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CreateRunnerError(
      `${file} cannot be read: ${reason}. This needs a project that create-runner made; name its folder with --dir.`,
      { cause: error, flag: '--dir' },
    );
  }
  if (!isOrigin(found)) {
    throw new CreateRunnerError(
      `${file} does not say which template the project was made from. Take it back from the project's history.`,
    );
  }
  const stranger = Object.keys(found.files).find((name) => !isInside(name));
  if (stranger === undefined) return found;
  throw new CreateRunnerError(
    `${file} names ${JSON.stringify(stranger)}, which is not a file of the project. Take it back from the project's history.`,
  );
}
