/**
 * @module
 * naming/ decides what a runner may be called. Pure: imports the list of Node's own modules and nothing else.
 */
import { builtinModules } from 'node:module';

/** Long enough to say what it does, short enough for a host name's label. */
export const MAX_NAME_LENGTH = 63;

const LEGAL = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;
// Device names on Windows, with any extension: a folder of that name cannot be made there.
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/;
const RESERVED = new Set([...builtinModules, 'node_modules', 'favicon.ico']);

/**
 * Why `name` cannot be a runner's name, or undefined when it can. A name serves as the npm package, the folder
 * and the name under which JobForge lists the runner, so it keeps to what all three accept.
 */
export function problemWithName(name: string): string | undefined {
  if (name === '') return 'a name is needed';
  if (name.length > MAX_NAME_LENGTH)
    return `it has ${name.length} characters, ${MAX_NAME_LENGTH} at most are allowed`;
  if (!LEGAL.test(name))
    return 'use a-z, 0-9 and . _ - between them, starting and ending with a letter or digit';
  if (RESERVED.has(name)) return 'Node.js or npm uses this name itself';
  if (DEVICE.test(name)) return 'Windows keeps this name for a device';
  return undefined;
}

/** The legal name nearest to what was typed; always legal. */
export function slugOf(typed: string): string {
  const slug = typed
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .slice(0, MAX_NAME_LENGTH)
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  if (slug === '') return 'my-runner';
  return problemWithName(slug) === undefined ? slug : `my-${slug}`.slice(0, MAX_NAME_LENGTH);
}
