import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { useBench } from './command.suite.js';

const bench = useBench();
const json = (file: string): Record<string, Record<string, string>> =>
  JSON.parse(bench.read(file)) as Record<string, Record<string, string>>;
const inProject = (...argv: string[]) => bench.run([...argv, '--dir', 'my-runner']);
const edit = (file: string, change: (text: string) => string): void =>
  bench.write(`my-runner/${file}`, change(bench.read(`my-runner/${file}`)));
const ORIGIN = '.create-runner.json';

describe('upgrade', () => {
  beforeEach(async () => {
    await bench.run(['my-runner', '--no-git', '--port', '4000']);
    bench.out = '';
  });
  /** As if the project had been made when the template had another text. */
  const wasBefore = (file: string, change: (text: string) => string): void => {
    const origin = json(`my-runner/${ORIGIN}`);
    const before = change(origin['files']?.[file] ?? '');
    edit(file, change);
    bench.write(
      `my-runner/${ORIGIN}`,
      JSON.stringify({ ...origin, version: '9.0.0', files: { ...origin['files'], [file]: before } }),
    );
  };

  it('says that a project is up to date', async () => {
    const before = bench.read(`my-runner/${ORIGIN}`);
    expect(await inProject('upgrade')).toBe(0);
    expect(bench.out).toBe('✔ my-runner is up to date (9.8.7)\n');
    expect(bench.read(`my-runner/${ORIGIN}`)).toBe(before);
  });

  it('takes over what the template changed and keeps what the person did', async () => {
    const now = bench.read('my-runner/Dockerfile');
    wasBefore('Dockerfile', (text) => text.replace('node:22', 'node:20'));
    edit('Dockerfile', (text) => text.replace('USER node', 'USER 1000'));
    edit('README.md', () => 'mine');
    expect(await inProject('upgrade')).toBe(0);
    expect(bench.out).toBe('✔ Upgraded my-runner from 9.0.0 to 9.8.7\n  merged    Dockerfile\n');
    expect(bench.read('my-runner/Dockerfile')).toBe(now.replace('USER node', 'USER 1000'));
    expect(bench.read('my-runner/README.md')).toBe('mine');
    expect(json(`my-runner/${ORIGIN}`)).toMatchObject({ version: '9.8.7', files: { Dockerfile: now } });
    bench.out = '';
    await inProject('upgrade');
    expect(bench.out).toContain('up to date');
  });

  it('changes nothing with --dry-run', async () => {
    wasBefore('Dockerfile', () => 'old');
    expect(await inProject('upgrade', '--dry-run', '--json')).toBe(0);
    expect(JSON.parse(bench.out)).toEqual({
      upgraded: null,
      from: '9.0.0',
      to: '9.8.7',
      changes: [{ path: 'Dockerfile', kind: 'updated' }],
    });
    expect(bench.read('my-runner/Dockerfile')).toBe('old');
  });

  it('marks what cannot be merged, ends with 3, and does not start again before it is decided', async () => {
    wasBefore('Dockerfile', (text) => text.replace('node:22', 'node:20'));
    edit('Dockerfile', (text) => text.replaceAll('node:20', 'node:24'));
    expect(await inProject('upgrade')).toBe(3);
    expect(bench.out).toMatch(/conflict {2}Dockerfile: 1 place/);
    expect(bench.read('my-runner/Dockerfile')).toMatch(/<<<<<<< yours\nFROM .*node:24/);
    expect(await inProject('upgrade')).toBe(1);
    expect(bench.err).toMatch(/Dockerfile still has places marked <<<<<<</);
  });

  it('takes away what the template dropped, unless the person changed it', async () => {
    const origin = json(`my-runner/${ORIGIN}`);
    const files = { ...origin['files'], 'old.txt': 'old', 'mine.txt': 'old' };
    bench.write(`my-runner/${ORIGIN}`, JSON.stringify({ ...origin, files }));
    bench.write('my-runner/old.txt', 'old');
    bench.write('my-runner/mine.txt', 'mine');
    await inProject('upgrade');
    expect(bench.has('my-runner/old.txt')).toBe(false);
    expect(bench.read('my-runner/mine.txt')).toBe('mine');
    expect(bench.out).toMatch(/kept {6}mine\.txt: .*you changed it/);
  });

  it.each(['../theirs.txt', '/theirs.txt', 'a\\..\\theirs.txt', 'a/../../theirs.txt'])(
    'touches nothing for an origin that names %j',
    async (name) => {
      const origin = json(`my-runner/${ORIGIN}`);
      bench.write('theirs.txt', 'theirs');
      bench.write(`my-runner/${ORIGIN}`, JSON.stringify({ ...origin, files: { [name]: 'theirs' } }));
      expect(await inProject('upgrade')).toBe(1);
      expect(bench.err).toContain('which is not a file of the project');
      expect(bench.read('theirs.txt')).toBe('theirs');
    },
  );

  it('refuses a folder that it did not make, and a project of a later version', async () => {
    expect(await bench.run(['upgrade'])).toBe(1);
    expect(bench.err).toMatch(/\.create-runner\.json cannot be read[^]*--dir/);
    expect(await bench.run(['upgrade', '--dir', 'my-runner'], { version: '9.8.6' })).toBe(1);
    expect(bench.err).toContain('Run npx create-runner@latest upgrade.');
    bench.write(`my-runner/${ORIGIN}`, '{"version":"9.0.0"}');
    expect(await inProject('upgrade')).toBe(1);
    expect(bench.err).toContain('does not say which template');
  });
});

describe('add capability', () => {
  it.each([
    [
      'http-service',
      'src/capabilities/image-resize.ts',
      'src/index.ts',
      /\[helloGreet, imageResizeCapability\]/,
    ],
    [
      'python',
      'capabilities/image_resize_capability.py',
      'runner.py',
      /\[hello_greet, image_resize_capability\]/,
    ],
  ])('writes it in a project of %s and names it in the runner', async (...row) => {
    const [template, file, program, named] = row;
    await bench.run(['my-runner', '--no-git', '--template', template]);
    expect(await inProject('add', 'capability', 'image.resize')).toBe(0);
    expect(bench.read(`my-runner/${file}`)).toContain('image.resize');
    expect(bench.read(`my-runner/${program}`)).toMatch(named);
    expect(bench.out).not.toContain('by hand');
  });

  it('leaves a runner alone that is written otherwise, and says what to write', async () => {
    await bench.run(['my-runner', '--no-git']);
    bench.write('my-runner/src/index.ts', 'mine');
    expect(await inProject('add', 'capability', 'image.resize')).toBe(0);
    expect(bench.read('my-runner/src/index.ts')).toBe('mine');
    expect(bench.out).toContain("import { imageResizeCapability } from './capabilities/image-resize.js';");
  });

  it('replaces nothing', async () => {
    await bench.run(['my-runner', '--no-git']);
    bench.write('my-runner/src/capabilities/image-resize.ts', 'mine');
    expect(await inProject('add', 'capability', 'image.resize')).toBe(1);
    expect(bench.read('my-runner/src/index.ts')).not.toContain('imageResize');
    expect(bench.err).toContain('is there already; nothing was written');
  });

  it.each([
    [['add'], /What is to be added/],
    [['add', 'capability'], /id of the capability is missing/],
    [['add', 'capability', 'Image'], /"Image" is not the id of a capability/],
    [['add', 'capability', '../x'], /not the id/],
    [['add', 'capability', 'a', 'b'], /"b" is one argument too many/],
    [['upgrade', 'x'], /"x" is one argument too many/],
    [['upgrade', '--template', 'shell'], /--template has no meaning/],
    [['my-runner', '--dry-run'], /--dry-run has no meaning/],
  ])('%j is a usage error', async (argv, message) => {
    await bench.run(['my-runner', '--no-git']);
    expect(await bench.run(['--dir', 'my-runner', ...argv])).toBe(2);
    expect(bench.err).toMatch(message);
  });
});

describe('--add', () => {
  const application = (manifest: object): void => {
    mkdirSync(join(bench.cwd, 'shop'), { recursive: true });
    bench.write('shop/package.json', JSON.stringify({ name: '@acme/shop', ...manifest }));
  };
  const EXPRESS = { dependencies: { express: '5.3.0' } };

  it('writes a runner beside an application in TypeScript and touches nothing else', async () => {
    application({ ...EXPRESS, type: 'module' });
    mkdirSync(join(bench.cwd, 'shop/src'));
    bench.write('shop/tsconfig.json', '{}');
    const manifest = bench.read('shop/package.json');
    expect(await bench.run(['--add', '--dir', 'shop', '--port', '4000'])).toBe(0);
    expect(readdirSync(join(bench.cwd, 'shop/src/runner'))).toEqual(['hello-greet.ts', 'runner.ts']);
    expect(bench.read('shop/src/runner/runner.ts')).toMatch(
      /'acme-shop'[^]*\|\| 4000[^]*mountAt: '\/runner'/,
    );
    expect(bench.read('shop/package.json')).toBe(manifest);
    expect(bench.out).toMatch(/npm install @controlplane\/runner-sdk@\S+ zod@\S+\n/);
    expect(bench.out).toContain("import { runner } from './runner/runner.js';");
  });

  it('says how an application in CommonJS takes it in', async () => {
    application(EXPRESS);
    expect(await bench.run(['--add', '--dir', 'shop', '--name', 'images', '--json'])).toBe(0);
    const { files, lines } = JSON.parse(bench.out) as { files: string[]; lines: string[] };
    expect(files).toEqual(['runner/hello-greet.mjs', 'runner/runner.mjs']);
    expect(lines).toContain("const { runner } = require('./runner/runner.mjs');");
    expect(bench.read('shop/runner/runner.mjs')).toContain("'images'");
  });

  it('refuses a folder without express, a second runner, and flags that it has no use for', async () => {
    application({});
    expect(await bench.run(['--add', '--dir', 'shop'])).toBe(1);
    expect(bench.err).toContain('express is not among the dependencies');
    application(EXPRESS);
    await bench.run(['--add', '--dir', 'shop']);
    expect(await bench.run(['--add', '--dir', 'shop'])).toBe(1);
    expect(bench.err).toContain('is there already');
    expect(await bench.run(['--add', '--template', 'shell'])).toBe(2);
    rmSync(join(bench.cwd, 'shop/package.json'));
    expect(await bench.run(['--add', '--dir', 'shop'])).toBe(1);
    expect(bench.err).toContain('package.json cannot be read');
  });
});
