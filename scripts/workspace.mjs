import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './report.mjs';

/**
 * @typedef {object} Workspace
 * @property {string} dir absolute
 * @property {string} name
 * @property {Record<string, any>} manifest its package.json
 * @property {string[]} upstream names of the workspaces that it depends on
 */

const readManifest = (dir) => JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));

/** The folders that pnpm-workspace.yaml names, read without a YAML parser: nothing is installed yet. */
function workspaceFolders() {
  const yaml = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const block = /^packages:\n((?:[ \t]+-.*\n)+)/m.exec(yaml)?.[1] ?? '';
  const patterns = [...block.matchAll(/-\s+['"]?([^'"\s]+)/g)].map((match) => match[1]);
  return patterns
    .flatMap((pattern) =>
      pattern.endsWith('/*')
        ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => join(root, pattern.slice(0, -2), name))
        : [join(root, pattern)],
    )
    .filter((dir) => existsSync(join(dir, 'package.json')));
}

/** @returns {Workspace[]} in an order in which every one follows those that it depends on */
export function workspaces() {
  const manifests = new Map(workspaceFolders().map((dir) => [dir, readManifest(dir)]));
  const names = new Set([...manifests.values()].map((manifest) => manifest.name));
  const found = [...manifests].map(([dir, manifest]) => ({
    dir,
    manifest,
    name: manifest.name,
    upstream: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) =>
      names.has(name),
    ),
  }));
  return inOrder(found);
}

/** @param {Workspace[]} all */
function inOrder(all) {
  const byName = new Map(all.map((workspace) => [workspace.name, workspace]));
  const ordered = new Set();
  const visit = (workspace, path) => {
    if (path.includes(workspace.name))
      throw new Error(`workspaces depend on each other: ${path.join(' → ')}`);
    if (ordered.has(workspace)) return;
    for (const name of workspace.upstream) visit(byName.get(name), [...path, workspace.name]);
    ordered.add(workspace);
  };
  for (const workspace of all) visit(workspace, []);
  return [...ordered];
}

export const rootManifest = () => readManifest(root);
