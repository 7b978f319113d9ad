import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));

const topLevelFiles = (name: string): string[] =>
  readdirSync(`${packages}${name}/src`).filter((file) => file.endsWith('.ts') && !file.includes('.test'));

/**
 * `@controlplane/x` and `@controlplane/x/y` resolve to their sources, so that a test sees an edit in another package
 * without a build. The list is read once, when vitest starts.
 */
export const sourceAliases = readdirSync(packages)
  .filter((name) => existsSync(`${packages}${name}/src`))
  .flatMap((name) =>
    topLevelFiles(name).map((file) => {
      const entry = file.slice(0, -'.ts'.length);
      const specifier = entry === 'index' ? `@controlplane/${name}` : `@controlplane/${name}/${entry}`;
      return { find: new RegExp(`^${specifier}$`), replacement: `${packages}${name}/src/${file}` };
    }),
  );
