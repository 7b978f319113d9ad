import { builtinModules } from 'node:module';

/** Their word for a language, and the script capability's. */
const LANGUAGES = { node: 'node', python: 'python', shell: 'bash', powershell: 'powershell' } as const;

/** A language of the script capability. */
export type Language = (typeof LANGUAGES)[keyof typeof LANGUAGES];

/** The script capability's word; undefined where it has none. */
export const languageOf = (word: unknown): Language | undefined =>
  Object.entries(LANGUAGES).find(([theirs]) => theirs === word)?.[1];

/** The runtimes that the labels of a runner name, in their words. */
export function runtimesOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(LANGUAGES).map(([theirs, own]) => [theirs, labels[own]] as const);
  return Object.fromEntries(
    named.filter((entry): entry is [keyof typeof LANGUAGES, string] => Boolean(entry[1])),
  );
}

const withoutComments = (code: string): string =>
  code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');

const IMPORTS: readonly RegExp[] = [
  /^\s*import\s+(?:[^'";]+?\s+from\s+)?["']([^"'\n]+)["']/gm,
  /^\s*export\s+[^'";]*?\s+from\s+["']([^"'\n]+)["']/gm,
  /\brequire\(\s*["']([^"'\n]+)["']\s*\)/g,
  /\bimport\(\s*["']([^"'\n]+)["']\s*\)/g,
];
const PACKAGE = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/i;

/** The packages of npm that a script for Node.js names, each once, in order. */
export function packagesOf(code: string): string[] {
  const bare = withoutComments(code);
  const named = IMPORTS.flatMap((pattern) => [...bare.matchAll(pattern)].map(([, name = '']) => name));
  const packages = named.map((name) =>
    name
      .split('/')
      .slice(0, name.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  return [...new Set(packages)].filter((name) => PACKAGE.test(name) && !builtinModules.includes(name)).sort();
}

const MODULE = [
  /^\s*import\s+(?:[^'";(]+?\s+from\s+)?["']/m,
  /^\s*export\s+(?:default\b|[{*]|(?:async|class|const|function|let|var)\b)/m,
  /\bimport\.meta\b/,
];

/** Whether a script for Node.js is an ES module. */
export function isModule(code: string): boolean {
  const bare = withoutComments(code);
  return MODULE.some((pattern) => pattern.test(bare));
}
