import { existsSync, readdirSync } from 'node:fs';
import type { Options } from 'tsup';

const isEntryPoint = (file: string): boolean =>
  file.endsWith('.ts') && !/\.(test|test-d|bench|suite)\.ts$|^cli\.ts$/.test(file);

/**
 * How every library here is built: each top-level `src/*.ts` becomes one public entry point, as ES module and as
 * CommonJS with types for both. A `src/cli.ts` is built apart: ES module only, no types, nothing imports it.
 * tsup runs in the package's own folder, so paths are relative to that.
 */
export function library(overrides: Options = {}): Options[] {
  const shared: Options = {
    target: 'node20',
    platform: 'node',
    sourcemap: true,
    ...overrides,
  };
  const entries = readdirSync('src').filter(isEntryPoint);
  const builds: Options[] = [
    {
      ...shared,
      entry: entries.map((file) => `src/${file}`),
      format: ['esm', 'cjs'],
      dts: true,
      splitting: true,
      // Both builds write to dist at once: this one must not sweep away the other's file.
      clean: ['!cli.js', '!cli.js.map'],
    },
  ];
  if (existsSync('src/cli.ts')) {
    builds.push({ ...shared, entry: ['src/cli.ts'], format: ['esm'], dts: false, splitting: false, clean: false });
  }
  return builds;
}
