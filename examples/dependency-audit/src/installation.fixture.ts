import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** A small project in a folder of its own, in the layout of one package manager or another. */
export interface InstallationFixture {
  readonly dir: string;
  /** Writes `<path>/package.json` and, beside it, an index.js of `bytes` bytes. */
  add(path: string, manifest: object | string, bytes?: number): void;
  /** Makes `path` a link to `target`, both within the project. */
  link(path: string, target: string): void;
}

export function createInstallation(): InstallationFixture {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'dependency-audit-')));
  const place = (path: string): string => {
    const full = join(dir, path);
    mkdirSync(dirname(full), { recursive: true });
    return full;
  };
  return {
    dir,
    add(path, manifest, bytes = 0) {
      writeFileSync(
        place(`${path}/package.json`),
        typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
      );
      writeFileSync(place(`${path}/index.js`), 'x'.repeat(bytes));
    },
    link(path, target) {
      const full = place(path);
      symlinkSync(relative(dirname(full), join(dir, target)), full, 'dir');
    },
  };
}
