import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal, root } from './report.mjs';
import { workspaces } from './workspace.mjs';

const LINE = /^['"]?(?<name>@?[a-z0-9/-]+)['"]?: (?:patch|minor|major)$/;

function problemsOf(file, names) {
  const text = readFileSync(join(root, '.changeset', file), 'utf8');
  const [, front, prose] = /^---\n([\s\S]*?)---\n([\s\S]*)$/.exec(text) ?? [];
  if (front === undefined) return [`${file} has no front matter: \`npx changeset\` writes one`];
  const wrong = front.split('\n').filter((line) => line && !names.has(LINE.exec(line)?.groups?.name));
  return [
    ...wrong.map((line) => `${file}: "${line}" names no published package with patch, minor or major`),
    ...(prose.trim() ? [] : [`${file} says nothing: its text becomes the changelog`]),
  ];
}

/**
 * Every changeset names packages that exist and says something. `changeset status` would also compare with the main
 * branch, which a fresh or shallow clone does not have.
 */
export function checkChangesets() {
  const names = new Set(
    workspaces()
      .filter(({ manifest }) => !manifest.private)
      .map(({ name }) => name),
  );
  const config = JSON.parse(readFileSync(join(root, '.changeset', 'config.json'), 'utf8'));
  const grouped = [...config.fixed, ...config.linked].flat().filter((name) => !names.has(name));
  const files = readdirSync(join(root, '.changeset')).filter(
    (file) => file.endsWith('.md') && file !== 'README.md',
  );
  const problems = [
    ...grouped.map((name) => `config.json groups ${name}, which is no published package`),
    ...files.flatMap((file) => problemsOf(file, names)),
  ];
  if (problems.length > 0) throw new Refusal(problems.join('\n'));
}
