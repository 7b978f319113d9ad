import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { statOf } from '../destination/inspect-destination.js';
import { placeProject } from '../destination/place-project.js';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { slugOf } from '../naming/runner-name.js';
import { writeProject } from '../project/build-project.js';
import { localSpecs } from '../project/local-packages.js';
import type { LocalPackages } from '../project/local-packages.js';
import { renderProject } from '../project/render-project.js';
import { readTemplateVersions } from '../project/template-versions.js';

export interface AddToExpressOptions {
  /** The application's folder, absolute. */
  readonly path: string;
  /** Default: that of the application's package. */
  readonly name: string | undefined;
  /** That the application listens on. */
  readonly port: number;
  readonly templates: string;
  /** Instead of those on the registry. */
  readonly packages: LocalPackages | undefined;
  readonly signal: AbortSignal;
}

export interface AddedRunner {
  readonly name: string;
  readonly files: readonly string[];
  /** Packages to install, as a package manager takes them. */
  readonly install: readonly string[];
  /** Lines for the program that starts the application. */
  readonly lines: readonly string[];
}

interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function readManifest(path: string): Manifest {
  const file = join(path, 'package.json');
  const remedy = 'Name the folder of the application with --dir, or leave --add away to create a project.';
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CreateRunnerError(`--add: ${file} cannot be read: ${reason}. ${remedy}`, {
      cause: error,
      flag: '--dir',
    });
  }
  if (manifest.dependencies?.['express'] !== undefined) return manifest;
  throw new CreateRunnerError(`--add: express is not among the dependencies of ${file}. ${remedy}`, {
    flag: '--add',
  });
}

/** The folder of the runner, where the application keeps its sources. */
function folderFor(path: string): string {
  return statOf(join(path, 'src'))?.isDirectory() ? 'src/runner' : 'runner';
}

function linesFor(
  folder: string,
  options: { readonly isTyped: boolean; readonly isModule: boolean },
): string[] {
  const from = `./${folder.replace(/^src\//, '')}/runner.${options.isTyped ? 'js' : 'mjs'}`;
  const bring =
    options.isTyped || options.isModule
      ? `import { runner } from '${from}';`
      : `const { runner } = require('${from}');`;
  return [bring, "app.use('/runner', runner.router());", 'app.listen(port, () => runner.start());'];
}

/** Writes a runner beside an express application: new files in a folder of their own; says what else is to be done. */
export async function addToExpress(options: AddToExpressOptions): Promise<AddedRunner> {
  const { path, templates, packages } = options;
  const manifest = readManifest(path);
  const folder = folderFor(path);
  if (statOf(join(path, folder)) !== undefined)
    throw new CreateRunnerError(`--add: ${join(path, folder)} is there already; nothing was written.`);
  const isTyped = statOf(join(path, 'tsconfig.json')) !== undefined;
  const name = options.name ?? slugOf(manifest.name ?? basename(path));
  const extension = isTyped ? 'ts' : 'mjs';
  const versions = readTemplateVersions(templates);
  const rendered = await renderProject({
    layers: [join(templates, 'express')],
    versions,
    data: { name, port: options.port, extension, importExtension: isTyped ? 'js' : 'mjs' },
  });
  const greet = readFileSync(join(templates, 'hello/src/capabilities/hello-greet.ts'), 'utf8');
  const files = new Map([...rendered].map(([file, text]) => [`${folder}/${file}`, text]));
  files.set(`${folder}/hello-greet.${extension}`, greet);
  await placeProject(path, {
    force: true,
    write: async (staging) => writeProject(staging, { files, tarballs: [] }),
    signal: options.signal,
  });
  const sdk = '@controlplane/runner-sdk';
  const own = packages ? localSpecs(packages, [sdk, '@controlplane/contracts']) : [`${sdk}@${versions[sdk]}`];
  return {
    name,
    files: [...files.keys()].sort(),
    install: [...own, `zod@${versions.zod}`],
    lines: linesFor(folder, { isTyped, isModule: manifest.type === 'module' }),
  };
}
