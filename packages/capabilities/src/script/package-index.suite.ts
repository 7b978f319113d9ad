import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A registry of npm with one package, `three@1.0.0`, which exports 3. */
function npmFiles(folder: string, origin: string): Readonly<Record<string, Buffer | string>> {
  mkdirSync(join(folder, 'package'), { recursive: true });
  const manifest = {
    name: 'three',
    version: '1.0.0',
    main: 'index.js',
    scripts: { install: 'exit 1' },
  };
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package/index.js'), 'module.exports = 3;\n');
  execFileSync('tar', ['-czf', 'three.tgz', 'package'], { cwd: folder });
  const tarball = readFileSync(join(folder, 'three.tgz'));
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const dist = { tarball: `${origin}/three.tgz`, integrity };
  const packument = {
    name: 'three',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { ...manifest, dist } },
  };
  return { '/three': JSON.stringify(packument), '/three.tgz': tarball };
}

/** An index of PyPI with one package, `four==1.0.0`, whose `VALUE` is 4. */
function pypiFiles(folder: string): Readonly<Record<string, Buffer | string>> {
  const name = 'four-1.0.0-py3-none-any.whl';
  const make = `import zipfile, sys
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('four.py', 'VALUE = 4\\n')
    info = 'four-1.0.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: four\\nVersion: 1.0.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', 'four.py,,\\n' + info + 'METADATA,,\\n' + info + 'WHEEL,,\\n' + info + 'RECORD,,\\n')`;
  execFileSync('python3', ['-c', make, join(folder, name)]);
  return {
    '/simple/four/': `<!DOCTYPE html><a href="/wheels/${name}">${name}</a>`,
    [`/wheels/${name}`]: readFileSync(join(folder, name)),
  };
}

/** Serves packages on this machine, and remembers what was asked for. */
export async function servePackages(
  folder: string,
): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  let files: Readonly<Record<string, Buffer | string>> = {};
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const found = files[path];
    response.writeHead(found === undefined ? 404 : 200, {
      'content-type': path.startsWith('/simple')
        ? 'text/html'
        : path === '/three'
          ? 'application/json'
          : 'application/octet-stream',
    });
    response.end(found);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  files = { ...npmFiles(folder, url), ...pypiFiles(folder) };
  return { url, asked };
}
