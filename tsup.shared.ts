import { existsSync, readFileSync } from 'node:fs';
import type { Options } from 'tsup';

interface Manifest {
  exports?: Record<string, string | { import?: { default?: string } }>;
}

/** Files that are processes or threads of their own. */
const STARTED = ['cli', 'store-thread'];

/** `"./testing": { import: { default: "./dist/testing.js" } }` in package.json is built from `src/testing.ts`. */
function entryPoints(manifest: Manifest): string[] {
  return Object.values(manifest.exports ?? {}).flatMap((target) => {
    const built = typeof target === 'string' ? target : (target.import?.default ?? '');
    const name = /^\.\/dist\/(.+)\.js$/.exec(built)?.[1];
    return name === undefined ? [] : [`src/${name}.ts`];
  });
}

/**
 * How every library here is built: each entry of its `exports` as ES module and as CommonJS, with types for both. What
 * is started rather than imported is built apart: ES module only, no types. tsup runs in the package's own folder, so
 * paths are relative to that.
 */
export function library(overrides: Options = {}): Options[] {
  const shared: Options = { target: 'node20', platform: 'node', sourcemap: true, ...overrides };
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
  const builds: Options[] = [
    {
      ...shared,
      entry: entryPoints(manifest),
      format: ['esm', 'cjs'],
      dts: true,
      splitting: true,
      // All builds write to dist at once: this one must not sweep away the others' files.
      clean: STARTED.flatMap((name) => [`!${name}.js`, `!${name}.js.map`]),
    },
  ];
  for (const name of STARTED) {
    if (!existsSync(`src/${name}.ts`)) continue;
    builds.push({
      ...shared,
      entry: [`src/${name}.ts`],
      format: ['esm'],
      dts: false,
      splitting: false,
      clean: false,
    });
  }
  return builds;
}
