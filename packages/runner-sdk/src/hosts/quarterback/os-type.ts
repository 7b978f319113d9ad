import { readFile } from 'node:fs/promises';

/** What the control plane calls the system: of Linux, the distribution where it has a word for it. */
export async function osType(platform: NodeJS.Platform = process.platform): Promise<string> {
  if (platform === 'darwin') return 'macos';
  if (platform === 'win32') return 'windows';
  if (platform !== 'linux') return platform;
  // A machine without the file is a Linux too.
  const release = (await readFile('/etc/os-release', 'utf8').catch(() => '')).toLowerCase();
  if (release.includes('fedora')) return 'fedora';
  return /debian|ubuntu/.test(release) ? 'debian' : 'linux';
}
