import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CreateRunnerError } from '../errors/create-runner-error.js';
import { TEMPLATE_PACKAGES } from './template-versions.js';

const FLAG = '--packages';
// What the packages of ours need of one another.
const NEEDED_BY_OWN = ['@controlplane/contracts'] as const;

/** Package name → the absolute path of its tarball. */
export type LocalPackages = ReadonlyMap<string, string>;

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new CreateRunnerError(
      `${FLAG}: ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}. Name the folder that pnpm pack wrote to.`,
      { cause: error, flag: FLAG },
    );
  }
}

function tarballOf(name: string, folder: string): [string, string] {
  // As npm and pnpm name the tarball of a scoped package.
  const stem = `${name.replace('@', '').replace('/', '-')}-`;
  const files = filesIn(folder).filter(
    (file) => file.startsWith(stem) && /^\d.*\.tgz$/.test(file.slice(stem.length)),
  );
  const [file] = files;
  if (file !== undefined && files.length === 1) return [name, join(folder, file)];
  const found = file === undefined ? 'no tarball' : `${files.length} tarballs (${files.sort().join(', ')})`;
  throw new CreateRunnerError(
    `${FLAG}: ${folder} holds ${found} of ${name}; one of each package is needed, as pnpm pack writes them in a checkout.`,
    { flag: FLAG },
  );
}

/** The tarballs in `folder` of all packages of ours that a project needs. Throws where one is missing or ambiguous. */
export function findLocalPackages(folder: string): LocalPackages {
  return new Map([...TEMPLATE_PACKAGES.own, ...NEEDED_BY_OWN].map((name) => tarballOf(name, folder)));
}

/** The tarballs of these packages, as a package manager's install takes them. */
export function localSpecs(packages: LocalPackages, names: readonly string[]): string[] {
  return names.map((name) => `file:${packages.get(name) ?? ''}`);
}

/** Those tarballs as a lockfile names them: where they are in the project, and their hash. */
export function lockedTarballs(
  packages: LocalPackages,
): Map<string, { readonly path: string; readonly integrity: string }> {
  return new Map(
    [...packages].map(([name, tarball]) => {
      const hash = createHash('sha512').update(readFileSync(tarball)).digest('base64');
      return [name, { path: `${VENDOR_FOLDER}/${basename(tarball)}`, integrity: `sha512-${hash}` }];
    }),
  );
}

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

/** Where the tarballs are in a project that does not take them from the registry. */
export const VENDOR_FOLDER = 'vendor';

/** Each package manager has its own word for "also where another package asks for it". */
function overridesFor(pm: string, specs: Record<string, string>): object {
  // npm's is there for all: the image is built with npm, whichever installs outside it.
  if (pm === 'pnpm') return { overrides: specs, pnpm: { overrides: specs } };
  return pm === 'yarn' ? { overrides: specs, resolutions: specs } : { overrides: specs };
}

/** A manifest that takes the packages of ours from tarballs in the project, and those tarballs. */
export interface Localised {
  readonly manifest: string;
  readonly tarballs: readonly string[];
}

/** Points a package.json at the tarballs, also for what these need of one another. */
export function useLocalPackages(
  text: string,
  options: { readonly packages: LocalPackages; readonly pm: string },
): Localised {
  const manifest = JSON.parse(text) as Manifest;
  const asked = new Set<string>([
    ...Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
    ...NEEDED_BY_OWN,
  ]);
  const used = [...options.packages].filter(([name]) => asked.has(name));
  const specs = Object.fromEntries(
    used.map(([name, tarball]) => [name, `file:./${VENDOR_FOLDER}/${basename(tarball)}`]),
  );
  const pointed = (field: keyof Manifest): object => {
    const dependencies = manifest[field];
    if (!dependencies) return {};
    const entries = Object.entries(dependencies).map(([name, version]) => [name, specs[name] ?? version]);
    return { [field]: Object.fromEntries(entries) };
  };
  const changed = {
    ...manifest,
    ...pointed('dependencies'),
    ...pointed('devDependencies'),
    ...overridesFor(options.pm, specs),
  };
  return {
    manifest: `${JSON.stringify(changed, null, 2)}\n`,
    tarballs: used.map(([, tarball]) => tarball),
  };
}
