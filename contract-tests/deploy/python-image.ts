import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { copyLibraries, importImage } from './image-root.js';
import type { Podman } from './podman.js';

// Those of the system: one that a version manager brings is a script that looks for another.
const PYTHON = '/usr/bin/python3';
const USERADD = '/usr/sbin/useradd';
/** What a runner of the standard library alone has no use for. */
const LEFT_OUT = new Set([
  '__pycache__',
  'dist-packages',
  'idlelib',
  'lib2to3',
  'test',
  'tkinter',
  'unittest',
]);

/** Why no image of Python can be made here, or undefined. */
export function missingPython(): string | undefined {
  const missing = [PYTHON, USERADD].find((file) => !existsSync(file));
  return missing === undefined ? undefined : `there is no ${missing} here`;
}

/** Python and `useradd` as they are here, with their libraries. */
function fill(root: string): void {
  const says = 'import os, sys; print(os.path.realpath(sys.executable)); print(os.path.dirname(os.__file__))';
  const [program = '', library = ''] = execFileSync(PYTHON, ['-c', says], { encoding: 'utf8' }).split('\n');
  for (const folder of ['etc/default', 'usr/sbin', dirname(library)])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of ['passwd', 'group', 'shadow', 'gshadow'])
    writeFileSync(join(root, 'etc', file), file === 'passwd' ? 'root:x:0:0:root:/root:/bin/sh\n' : '');
  cpSync(program, join(root, 'usr/bin/python3'));
  cpSync(USERADD, join(root, USERADD));
  for (const file of [program, USERADD]) copyLibraries(root, file);
  cpSync(library, join(root, library), {
    recursive: true,
    filter: (source) => !LEFT_OUT.has(basename(source)),
  });
  const modules = join(library, 'lib-dynload');
  for (const file of readdirSync(modules)) copyLibraries(root, join(modules, file));
}

/** Makes the image of Python that the Dockerfile of the template starts from. */
export async function importPythonImage(podman: Podman): Promise<void> {
  await importImage(podman, {
    name: 'docker.io/library/python:3.12-slim-bookworm',
    fill,
    env: { PATH: '/usr/local/bin:/usr/bin:/usr/sbin:/bin' },
  });
}
