/**
 * @module
 * packaging/ runs when this package is built, never in the command: it puts the templates and the versions that they
 * name into dist, so that scaffolding needs no network. Imports node:*, yaml and project/template-versions.
 */
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { LOCK_TABLE_FILE } from '../project/npm-lock.js';
import { TEMPLATE_PACKAGES, VERSIONS_FILE } from '../project/template-versions.js';
import type { TemplateVersions } from '../project/template-versions.js';
import { lockTable } from './lock-table.js';

export interface PackTemplatesOptions {
  /** The folder with one folder a template. */
  readonly templates: string;
  /** pnpm-workspace.yaml. */
  readonly workspace: string;
  /** create-runner's own package.json. */
  readonly manifest: string;
  /** The folder with the packages of ours. */
  readonly packages: string;
  /** Emptied first. */
  readonly into: string;
}

// What a test run inside a template leaves behind is not part of it.
const LEFTOVERS = new Set(['node_modules', 'dist', 'data']);
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

function exact(name: string, version: string | undefined): string {
  if (version !== undefined && EXACT.test(version)) return version;
  throw new Error(
    `${name} has no exact version for the templates: found ${version ?? 'none'}. Add it to the catalog of pnpm-workspace.yaml.`,
  );
}

type Catalog = Readonly<Record<string, string>>;

/** The versions that templates name, from the catalog and from our own version. */
function templateVersions(catalog: Catalog, options: PackTemplatesOptions): TemplateVersions {
  const { version } = JSON.parse(readFileSync(options.manifest, 'utf8')) as { version: string };
  const entries = [
    ...TEMPLATE_PACKAGES.catalog.map((name) => [name, exact(name, catalog[name])]),
    ...TEMPLATE_PACKAGES.own.map((name) => [name, exact(name, version)]),
  ];
  return Object.fromEntries(entries) as TemplateVersions;
}

/** Copies every template and writes beside them the versions that they name, and what npm's lockfiles say of these. */
export function packTemplates(options: PackTemplatesOptions): void {
  rmSync(options.into, { recursive: true, force: true });
  mkdirSync(options.into, { recursive: true });
  for (const entry of readdirSync(options.templates, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    cpSync(join(options.templates, entry.name), join(options.into, entry.name), {
      recursive: true,
      filter: (source) => !LEFTOVERS.has(source.slice(source.lastIndexOf('/') + 1)),
    });
  }
  const { catalog } = parse(readFileSync(options.workspace, 'utf8')) as { catalog: Catalog };
  const named = templateVersions(catalog, options);
  const table = lockTable({ ...options, catalog, named });
  writeFileSync(join(options.into, VERSIONS_FILE), `${JSON.stringify(named, null, 2)}\n`);
  writeFileSync(join(options.into, LOCK_TABLE_FILE), `${JSON.stringify({ packages: table })}\n`);
}
