import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

// What the file tree promises and no linter checks: names, entry points, a note in each room.
const root = resolve(import.meta.dirname, '..');

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (['node_modules', 'dist', '.cache', 'data'].includes(entry.name)) return [];
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'src')),
);
const sources = packages
  .flatMap((name) => filesIn(join(root, 'packages', name, 'src')))
  .filter((file) => file.endsWith('.ts'));
const shown = (file: string): string => relative(root, file);

const VAGUE =
  /^(utils?|helpers?|common|types|misc|base|shared|lib)(\.|$)|(^|-)(manager|service|helpers?|utils|enhanced)(\.|$)/;

/** The entry points of a package: what its `exports` name, by source file. */
function entriesOf(name: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
    exports?: object;
  };
  const built = JSON.stringify(manifest.exports ?? {}).matchAll(/\.\/dist\/([a-z-]+)\.js"/g);
  return [...new Set([...built].map((match) => join(root, 'packages', name, 'src', `${match[1]}.ts`)))];
}

const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
const RE_EXPORTS = /^(\s*export\s+(type\s+)?(\{[^}]*\}|\*)\s+from\s+'\.[^']*';)*\s*$/;

describe('file layout', () => {
  test('no file has a name that would take in anything', () => {
    expect(sources.filter((file) => VAGUE.test(basename(file))).map(shown)).toEqual([]);
  });

  test.each(packages.flatMap(entriesOf).map(shown))(
    '%s is an entry point: re-exports of its own package, 80 lines at most',
    (file) => {
      const text = readFileSync(join(root, file), 'utf8');
      expect(withoutComments(text)).toMatch(RE_EXPORTS);
      expect(text.split('\n').length).toBeLessThanOrEqual(81);
    },
  );

  test('every room says what lives in it, in an @module note of one of its files', () => {
    const folders = [...new Set(sources.map((file) => dirname(file)))];
    const rooms = folders.filter((folder) => basename(dirname(folder)) === 'src');
    const silent = rooms.filter((room) => {
      const texts = sources
        .filter((file) => file.startsWith(`${room}/`))
        .map((file) => readFileSync(file, 'utf8'));
      return !texts.some((text) => text.includes('@module'));
    });
    expect(silent.map(shown)).toEqual([]);
  });
});
