import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Podman } from './podman.js';

/** What the Dockerfiles start from. */
export const NODE_IMAGE = 'docker.io/library/node:22-bookworm-slim';

const USERS = `root:x:0:0:root:/root:/bin/sh
node:x:1000:1000:node:/home/node:/bin/sh
`;
const GROUPS = `root:x:0:
node:x:1000:
`;
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

const found = (program: string): string =>
  realpathSync(execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim());

/** The libraries that a program is linked to. */
function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

/**
 * Makes the image that the Dockerfiles start from out of what this machine has, for no image can be pulled where the
 * tests run: Node and npm as they are here, and a shell.
 */
export async function importNodeImage(podman: Podman): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'node-image-'));
  // Whoever runs in it has to get into its root.
  chmodSync(root, 0o755);
  try {
    for (const folder of [
      'bin',
      'etc',
      'home/node',
      'root',
      'tmp',
      'usr/local/bin',
      'usr/local/lib/node_modules',
    ])
      mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    execFileSync('chown', ['1000:1000', join(root, 'home/node')]);
    writeFileSync(join(root, 'etc/passwd'), USERS);
    writeFileSync(join(root, 'etc/group'), GROUPS);
    cpSync(found('busybox'), join(root, 'bin/busybox'));
    for (const applet of ['sh', 'mkdir', 'chown', 'cat', 'env'])
      symlinkSync('busybox', join(root, 'bin', applet));
    cpSync(process.execPath, join(root, 'usr/local/bin/node'));
    for (const library of librariesOf(process.execPath)) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      cpSync(library, join(root, library), { dereference: true });
    }
    const npm = dirname(dirname(found('npm')));
    cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    symlinkSync('/bin/env', join(root, 'usr/bin/env'));
    mkdirSync(join(root, dirname(CERTIFICATES)), { recursive: true });
    cpSync(CERTIFICATES, join(root, CERTIFICATES), { dereference: true });
    const path = '/usr/local/bin:/usr/bin:/bin';
    const changes = [`ENV PATH=${path}`, `ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`];
    await podman.importFolder(
      root,
      changes.flatMap((change) => ['--change', change]),
      NODE_IMAGE,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
