import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** The text that has to travel with the code. */
  readonly text: string;
}

const LICENSE_FILE = /^(?:licen[cs]e|copying)(?:[.-].*)?$/i;

/** `…/node_modules/@scope/name/src/x.js` → `…/node_modules/@scope/name`; undefined for a source of ours. */
function packageFolder(input: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

function describe(folder: string): BundledPackage {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = readdirSync(folder).find((name) => LICENSE_FILE.test(name));
  const license = manifest.license ?? 'see below';
  // A few packages name their license and ship no text of it.
  const text = file === undefined ? `License: ${license}` : readFileSync(join(folder, file), 'utf8').trim();
  return { name: manifest.name, version: manifest.version, license, text };
}

/** The notices of every package whose code is in the bundle, from the list of files that the bundler read. */
export function bundledLicenses(inputs: readonly string[]): string {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  const packages = [...folders].filter((folder) => existsSync(join(folder, 'package.json'))).map(describe);
  const sections = packages
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}\n`);
  return `dist/cli.js holds code of these packages.\n\n${sections.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
