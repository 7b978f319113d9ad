/**
 * @module
 * project/ makes the project out of a template, and does what follows: git and install. It knows nothing of prompts.
 * Imports node:*, node-plop and errors/.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateRunnerError } from '../errors/create-runner-error.js';

/** The packages that templates may name. Their versions are those of this workspace, exact. */
export const TEMPLATE_PACKAGES = {
  /** Third-party ones, by their version in the workspace's catalog. */
  catalog: ['@types/node', 'typescript', 'vitest', 'zod'],
  /** Our own, released together with this command: they have its version. */
  own: [
    '@controlplane/capabilities',
    '@controlplane/contract-test-kit',
    '@controlplane/jobforge',
    '@controlplane/runner-sdk',
  ],
} as const;

export type TemplatePackage = (typeof TEMPLATE_PACKAGES)['catalog' | 'own'][number];

/** Each package that a generated project depends on → its exact version. */
export type TemplateVersions = Readonly<Record<TemplatePackage, string>>;

export const VERSIONS_FILE = 'versions.json';

export function isTemplatePackage(name: string): name is TemplatePackage {
  return [...TEMPLATE_PACKAGES.catalog, ...TEMPLATE_PACKAGES.own].some((known) => known === name);
}

/** The map that the build wrote beside the templates. */
export function readTemplateVersions(templates: string): TemplateVersions {
  return JSON.parse(readFileSync(join(templates, VERSIONS_FILE), 'utf8')) as TemplateVersions;
}

/** Refuses a runner that is called as one of its own dependencies: npm would look for the one in the other. */
export function refuseNameOfDependency(name: string): void {
  if (!isTemplatePackage(name)) return;
  throw new CreateRunnerError(
    `--name: "${name}" is a package that the runner itself needs. Try my-${name}.`,
    { exitCode: 2, flag: '--name' },
  );
}
