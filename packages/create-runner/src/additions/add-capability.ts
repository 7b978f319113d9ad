/**
 * @module
 * additions/ writes into a project that exists: another capability, or a runner beside an express application. New
 * files only, but for the one line of the runner that names a capability. Imports node:*, project/, naming/,
 * destination/ and errors/.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { statOf } from '../destination/inspect-destination.js';
import { placeProject } from '../destination/place-project.js';
import { CreateRunnerError, usageError } from '../errors/create-runner-error.js';
import { namesOfCapability, problemWithCapabilityId } from '../naming/capability-id.js';
import { writeProject } from '../project/build-project.js';
import { readOrigin } from '../project/origin.js';
import { renderProject } from '../project/render-project.js';
import { readTemplateVersions } from '../project/template-versions.js';
import { templateOf } from '../project/templates.js';
import { NAMING_PLACES, nameInRunner } from './name-in-runner.js';

export interface AddCapabilityOptions {
  /** The project's folder, absolute. */
  readonly path: string;
  /** Of the capability, such as `image.resize`. */
  readonly id: string;
  readonly templates: string;
  readonly signal: AbortSignal;
}

export interface AddedCapability {
  readonly files: readonly string[];
  /** What is left to do by hand, one line each. */
  readonly byHand: readonly string[];
}

function refuseExisting(path: string, files: readonly string[]): void {
  const there = files.find((file) => statOf(join(path, file)) !== undefined);
  if (there === undefined) return;
  throw new CreateRunnerError(
    `${join(path, there)} is there already; nothing was written. Choose another name.`,
  );
}

/** Writes the capability with its test, and names it in the runner where that is written as the template had it. */
export async function addCapability(options: AddCapabilityOptions): Promise<AddedCapability> {
  const { path, id, templates } = options;
  const problem = problemWithCapabilityId(id);
  if (problem !== undefined) throw usageError(`"${id}" is not the id of a capability: ${problem}.`);
  const { language } = templateOf(readOrigin(path).answers.template);
  const isPython = language === 'Python';
  const { file, variable } = namesOfCapability(id, language);
  const rendered = await renderProject({
    layers: [join(templates, isPython ? 'capability-python' : 'capability-typescript')],
    versions: readTemplateVersions(templates),
    data: { id, file, variable },
  });
  refuseExisting(path, [...rendered.keys()]);
  const program = isPython ? 'runner.py' : 'src/index.ts';
  const importLine = isPython
    ? `from capabilities.${file} import ${variable}`
    : `import { ${variable} } from './capabilities/${file}.js';`;
  const text = statOf(join(path, program))?.isFile() ? readFileSync(join(path, program), 'utf8') : '';
  const named = nameInRunner(text, NAMING_PLACES[language], { importLine, variable });
  const files = new Map(rendered);
  if (named !== undefined) files.set(program, named);
  await placeProject(path, {
    force: true,
    write: async (folder) => writeProject(folder, { files, tarballs: [] }),
    signal: options.signal,
  });
  const byHand = [
    `${importLine}`,
    `and ${variable} among the capabilities, in the program that starts the runner`,
  ];
  return { files: [...files.keys()].sort(), byHand: named === undefined ? byHand : [] };
}
