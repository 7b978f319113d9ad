import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));
const sourceOf = (name: string): string => `${packages}${name}/src`;

/**
 * `@controlplane/x` and `@controlplane/x/y` resolve to the sources, so that a test needs no build of the package it
 * tests. The scaffolder is no library and has no alias.
 */
export const sourceAliases = [
  {
    find: /^@controlplane\/([a-z-]+)(?:\/([a-z-]+))?$/,
    replacement: '$1 $2',
    customResolver(id: string): string | undefined {
      const [name, entry] = id.split(' ');
      const file = `${sourceOf(name ?? '')}/${entry ? entry : 'index'}.ts`;
      return existsSync(file) ? file : undefined;
    },
  },
];
