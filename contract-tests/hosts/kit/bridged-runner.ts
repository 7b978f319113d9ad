import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandTarget } from '@controlplane/contract-test-kit';
import { build } from 'esbuild';

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The bridge as a program, for as long as somebody needs it. */
export interface BridgeProgram {
  /** A runner of ours at such a control plane, as the kit can start it. */
  target(host: string, runner?: 'any-host.mjs' | 'careless.mjs'): CommandTarget;
  remove(): void;
}

/** Puts the bridge into one file: Node.js cannot load it as it is written. */
export async function buildBridge(): Promise<BridgeProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-'));
  const outfile = join(folder, 'bridge.mjs');
  await build({
    ...{ entryPoints: [fileOf('bridge.ts')], outfile, bundle: true, platform: 'node', format: 'esm' },
    // What is bundled is partly of the older kind of module.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return {
    target: (host, runner = 'any-host.mjs') => ({
      kind: 'command',
      command: `${process.execPath} ${outfile}`,
      env: { BRIDGE_HOST: host, BRIDGE_RUNNER: new URL(`runners/${runner}`, import.meta.url).href },
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
