import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyLibraries, found, importImage } from './image-root.js';
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

/** Node and npm as they are here. */
function fill(root: string): void {
  for (const folder of ['home/node', 'usr/local/bin', 'usr/local/lib/node_modules', dirname(CERTIFICATES)])
    mkdirSync(join(root, folder), { recursive: true });
  execFileSync('chown', ['1000:1000', join(root, 'home/node')]);
  writeFileSync(join(root, 'etc/passwd'), USERS);
  writeFileSync(join(root, 'etc/group'), GROUPS);
  cpSync(process.execPath, join(root, 'usr/local/bin/node'));
  copyLibraries(root, process.execPath);
  cpSync(dirname(dirname(found('npm'))), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  cpSync(CERTIFICATES, join(root, CERTIFICATES), { dereference: true });
}

/** Makes the image of Node that the Dockerfiles start from. */
export async function importNodeImage(podman: Podman): Promise<void> {
  await importImage(podman, {
    name: NODE_IMAGE,
    fill,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', NODE_EXTRA_CA_CERTS: CERTIFICATES },
  });
}
