import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import nodePlop from 'node-plop';
import type { ActionType, NodePlopAPI } from 'node-plop';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { isTemplatePackage } from './template-versions.js';
import type { TemplateVersions } from './template-versions.js';

/** What the texts of a template may name. */
export interface TemplateData {
  readonly name: string;
  readonly description: string;
  readonly port: number;
  /** How a script is run: `npm run`. */
  readonly run: string;
  /** How a command of a dependency is run: `npx`. */
  readonly execute: string;
}

export interface RenderOptions {
  /** The folder of the template. */
  readonly template: string;
  readonly versions: TemplateVersions;
  readonly data: TemplateData;
  /** Which template, and which version of this command: kept in the project. */
  readonly origin: { readonly template: string; readonly version: string; readonly answers: object };
  /** An empty folder. */
  readonly into: string;
}

const RENDERED = '.hbs';
/** Kept in the project, so that it can be brought up to a later version of its template. */
const ORIGIN_FILE = '.create-runner.json';

/** `_gitignore` → `.gitignore` (npm drops the real name from a tarball), `x.hbs` → `x`. */
export function projectPath(templatePath: string): string {
  const path = templatePath.endsWith(RENDERED) ? templatePath.slice(0, -RENDERED.length) : templatePath;
  return path.replace(/(^|\/)_(?=[^/]+$)/, '$1.');
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

function actionFor(file: string, options: RenderOptions): ActionType {
  const source = join(options.template, file);
  const path = projectPath(file);
  if (file.endsWith(RENDERED)) return { type: 'add', path, templateFile: source, abortOnFail: true };
  return () => {
    const target = join(options.into, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
    return path;
  };
}

function originAction(options: RenderOptions): ActionType {
  return () => {
    writeFileSync(join(options.into, ORIGIN_FILE), `${JSON.stringify(options.origin, null, 2)}\n`);
    return ORIGIN_FILE;
  };
}

/** Writes the project; returns its files, relative to `into`. */
export async function renderProject(options: RenderOptions): Promise<string[]> {
  const plop = await nodePlop('', { destBasePath: options.into, force: false });
  teach(plop, options);
  const files = templateFiles(options.template);
  const generator = plop.setGenerator('runner', {
    prompts: [],
    actions: [...files.map((file) => actionFor(file, options)), originAction(options)],
  });
  const { failures } = await generator.runActions({ ...options.data });
  const [failure] = failures;
  if (failure)
    throw new CreateRunnerError(
      `the template could not be written: ${failure.path || failure.type}: ${failure.error}`,
    );
  return [...files.map(projectPath), ORIGIN_FILE].sort();
}
