import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import nodePlop from 'node-plop';
import type { NodePlopAPI } from 'node-plop';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { isTemplatePackage } from './template-versions.js';
import type { TemplateVersions } from './template-versions.js';

/** Path in the project, with `/` → text. */
export type ProjectFiles = ReadonlyMap<string, string>;

export interface RenderOptions {
  /** The folders of the layers, in order: a later one's file stands in place of an earlier one's. */
  readonly layers: readonly string[];
  readonly versions: TemplateVersions;
  /** What the texts may name. */
  readonly data: object;
}

const RENDERED = '.hbs';
/** A text that other templates of the project take in by its name: `{{> name}}`. */
const PART = '.part.hbs';

/** `_gitignore` → `.gitignore` (npm drops the real name from a tarball), `x.hbs` → `x`. */
export function projectPath(templatePath: string): string {
  const path = templatePath.endsWith(RENDERED) ? templatePath.slice(0, -RENDERED.length) : templatePath;
  return path.replace(/(^|\/)_(?=[^/_][^/]*$)/, '$1.');
}

/** Every file below a template's folder, relative to it, with `/`. */
export function templateFiles(template: string): string[] {
  return readdirSync(template, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(template, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** Handlebars renders what it does not know as nothing; here that is an error. */
function makeStrict(plop: NodePlopAPI): void {
  plop.setHelper('helperMissing', (...args: unknown[]) => {
    const { name } = args.at(-1) as { name: string };
    throw new Error(`the template names {{${name}}}, which does not exist`);
  });
}

function teach(plop: NodePlopAPI, options: RenderOptions): void {
  makeStrict(plop);
  plop.setHelper('json', (value: unknown) => JSON.stringify(value));
  plop.setHelper('version', (name: string) => {
    if (!isTemplatePackage(name))
      throw new Error(`the template names the package ${name}, which has no version here`);
    return options.versions[name];
  });
}

function render(plop: NodePlopAPI, file: string, data: object): string {
  const text = readFileSync(file, 'utf8');
  if (!file.endsWith(RENDERED)) return text;
  try {
    return plop.renderString(text, data);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CreateRunnerError(`the template could not be written: ${file}: ${reason}`, { cause: error });
  }
}

/** The project's files, by path. */
export async function renderProject(options: RenderOptions): Promise<ProjectFiles> {
  const plop = await nodePlop('');
  teach(plop, options);
  const sources = new Map<string, string>();
  for (const layer of options.layers) {
    for (const file of templateFiles(layer)) {
      const source = join(layer, file);
      if (file.endsWith(PART)) plop.setPartial(file.slice(0, -PART.length), readFileSync(source, 'utf8'));
      else sources.set(projectPath(plop.renderString(file, options.data)), source);
    }
  }
  const paths = [...sources.keys()].sort();
  return new Map(paths.map((path) => [path, render(plop, sources.get(path) ?? '', options.data)]));
}
