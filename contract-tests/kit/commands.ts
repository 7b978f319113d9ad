import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandTarget } from '@controlplane/contract-test-kit';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const command = (text: string): CommandTarget => ({ kind: 'command', command: text });

function built(file: string): string {
  if (!existsSync(file)) throw new Error(`${file} is not there: run \`pnpm build\` first`);
  return file;
}

/** The runner written by hand in plain Node; told to, it breaks one requirement. */
export function handWrittenRunner(breaks?: string): CommandTarget {
  const flag = breaks === undefined ? '' : ` --break ${breaks}`;
  return command(`'${process.execPath}' '${path('../broken-runners/broken-runner.mjs')}'${flag}`);
}

/** The runner written by hand in plain Node that dials out; told to, it breaks one requirement of its delivery. */
export function handWrittenDialOut(breaks?: string): CommandTarget {
  const flag = breaks === undefined ? '' : ` --break ${breaks}`;
  return command(`'${process.execPath}' '${path('../broken-runners/dial-out/runner.mjs')}'${flag}`);
}

/**
 * A runner on the SDK: `runner` with the fixture capabilities, `own-capabilities` without, `speaks-early` with work that
 * logs long before it ends. Needs the SDK's build: it runs in a process of its own.
 */
export function sdkRunner(name: 'runner' | 'own-capabilities' | 'speaks-early'): CommandTarget {
  built(path('../../packages/runner-sdk/dist/index.js'));
  return command(`'${process.execPath}' '${path(`../runners/sdk/${name}.mjs`)}'`);
}

/** The express runner of the guide. Needs its build. */
export function guideRunner(): CommandTarget {
  return command(`'${process.execPath}' '${built(path('../../examples/guide-runner/dist/runner.js'))}'`);
}

/** A runner that ends when it is sent what is not JSON. */
export function fragileRunner(): CommandTarget {
  return command(`'${process.execPath}' '${path('../runners/fragile/runner.mjs')}'`);
}
