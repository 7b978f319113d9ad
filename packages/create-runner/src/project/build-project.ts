import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { useLocalPackages, VENDOR_FOLDER } from './local-packages.js';
import type { LocalPackages } from './local-packages.js';
import { ORIGIN_FILE, originText } from './origin.js';
import { projectData } from './project-data.js';
import type { Commands, ProjectAnswers } from './project-data.js';
import { renderProject } from './render-project.js';
import type { ProjectFiles } from './render-project.js';
import { readTemplateVersions } from './template-versions.js';
import { templateOf } from './templates.js';

export interface BuildOptions {
  readonly answers: ProjectAnswers;
  readonly commands: Commands;
  /** The folder of the packed templates. */
  readonly templates: string;
  /** Of create-runner itself. */
  readonly version: string;
  /** Instead of those on the registry. */
  readonly packages: LocalPackages | undefined;
}

/** A project that is not written yet. */
export interface BuiltProject {
  readonly files: ProjectFiles;
  /** Absolute paths of the packages that it brings along. */
  readonly tarballs: readonly string[];
}

/** Renders the template, and notes in the project what it was made from. */
export async function buildProject(options: BuildOptions): Promise<BuiltProject> {
  const { answers, commands, packages, templates, version } = options;
  const rendered = await renderProject({
    layers: templateOf(answers.template).layers.map((layer) => join(templates, layer)),
    versions: readTemplateVersions(templates),
    data: projectData(answers, { commands, local: packages !== undefined }),
  });
  const local =
    packages && useLocalPackages(rendered.get('package.json') ?? '', { packages, pm: answers.pm });
  const files = new Map(rendered);
  if (local) files.set('package.json', local.manifest);
  const origin = originText({ version, answers, files: Object.fromEntries(files) });
  return { files: files.set(ORIGIN_FILE, origin), tarballs: local?.tarballs ?? [] };
}

/** Writes it into an empty folder; returns its files, relative to that. */
export function writeProject(into: string, { files, tarballs }: BuiltProject): string[] {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(into, path)), { recursive: true });
    writeFileSync(join(into, path), text);
  }
  if (tarballs.length > 0) mkdirSync(join(into, VENDOR_FOLDER));
  const vendored = tarballs.map((tarball) => `${VENDOR_FOLDER}/${basename(tarball)}`);
  tarballs.forEach((tarball, index) => copyFileSync(tarball, join(into, vendored[index] ?? '')));
  return [...files.keys(), ...vendored].sort();
}
