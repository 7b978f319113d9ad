import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { TEMPLATE_NAMES } from '../project/templates.js';
import { packageFile, useBench } from './command.suite.js';

const bench = useBench();
const command = bench.run;
const { read } = bench;

describe('create-runner', () => {
  it('creates a project and says what to type next', async () => {
    expect(await command(['my-runner', '--yes'])).toBe(0);
    expect(bench.out).toBe(
      '✔ Created my-runner (TypeScript, push) in 0.0 s\n  cd my-runner && npm install && npm run dev\n',
    );
    expect(bench.err).toBe('');
    expect(readdirSync(bench.cwd)).toEqual(['my-runner']);
  });

  it.each(TEMPLATE_NAMES)('leaves nothing of handlebars in any file of %s', async (template) => {
    expect(await command(['my-runner', '--json', '--no-git', '--template', template])).toBe(0);
    const { files } = JSON.parse(bench.out) as { files: string[] };
    for (const file of files)
      expect(read(`my-runner/${file}`), file).not.toMatch(/\{\{\{|\{\{[#/>]|&quot;|&#x27;/);
  });

  it('writes a description with quotes, backslashes and braces as it was given', async () => {
    const description = String.raw`Says "hi" <b> & {{name}} \n 'ok' ${'`x`'}`;
    expect(await command(['my-runner', '--description', description, '--no-git'])).toBe(0);
    expect(JSON.parse(read('my-runner/package.json'))).toMatchObject({ name: 'my-runner', description });
    expect(read('my-runner/README.md')).toContain(description);
  });

  it('names exact versions, its own for the packages released with it', async () => {
    await command(['my-runner', '--no-git']);
    const { dependencies, devDependencies } = JSON.parse(read('my-runner/package.json')) as Record<
      string,
      Record<string, string>
    >;
    const own = (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string })
      .version;
    expect({ ...dependencies, ...devDependencies }).toMatchObject({
      '@controlplane/runner-sdk': own,
      '@controlplane/jobforge': own,
    });
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it.each([
    // What those of ours need, too; of them the registry alone knows the hash.
    ['http-service', ['zod', 'vitest', 'express', 'ky'], ['@controlplane/jobforge']],
    ['python', ['zod', 'express'], ['vitest', 'typescript', 'ky']],
  ] as const)('locks what npm installs in a project of %s', async (template, locked, others) => {
    await command(['my-runner', '--template', template, '--no-git']);
    const { packages } = JSON.parse(read('my-runner/package-lock.json')) as { packages: object };
    for (const name of locked) expect(packages).toHaveProperty([`node_modules/${name}`]);
    for (const name of others) expect(packages).not.toHaveProperty([`node_modules/${name}`]);
    // npm changes it: it is none of the texts that an upgrade merges.
    expect(read('my-runner/.create-runner.json')).not.toContain('package-lock.json');
  });

  it.each(['pnpm', 'yarn', 'bun'])('leaves the lockfile to %s', async (pm) => {
    await command(['my-runner', '--pm', pm, '--no-git']);
    expect(bench.has('my-runner/package-lock.json')).toBe(false);
  });

  it('keeps in the project what it was made from', async () => {
    await command(['my-runner', '--port', '4000', '--pm', 'pnpm', '--no-git']);
    expect(JSON.parse(read('my-runner/.create-runner.json'))).toMatchObject({
      version: '9.8.7',
      answers: {
        name: 'my-runner',
        description: 'A runner that greets people by name.',
        template: 'http-service',
        delivery: 'push',
        port: 4000,
        pm: 'pnpm',
      },
      files: { 'src/index.ts': read('my-runner/src/index.ts') },
    });
    expect(read('my-runner/src/index.ts')).toContain("'PORT'] || 4000");
    expect(read('my-runner/README.md')).toContain('pnpm exec jobforge job submit');
  });

  it('prints one object with --json, and nothing else', async () => {
    expect(await command(['my-runner', '--json'])).toBe(0);
    const report = JSON.parse(bench.out) as { created: string; files: string[]; next: string[] };
    expect(Object.keys(report)).toEqual(['created', 'files', 'next']);
    expect(report.created).toBe(join(bench.cwd, 'my-runner'));
    for (const file of report.files) expect(existsSync(join(report.created, file))).toBe(true);
    expect(report.files).toContain('.gitignore');
  });

  it('prints one object with --json when it refuses', async () => {
    expect(await command(['--json'])).toBe(2);
    expect(JSON.parse(bench.out)).toMatchObject({ created: null, files: [], error: { flag: '--name' } });
    expect(bench.err).toContain('--name');
  });

  it.each([[[]], [['--yes']], [['--no-interactive']]])(
    'ends with 2 and names the flag for %j',
    async (argv) => {
      expect(await command(argv)).toBe(2);
      expect(bench.err).toMatch(/--name/);
      expect(readdirSync(bench.cwd)).toEqual([]);
    },
  );

  it('asks nothing with CI set, even at a terminal', async () => {
    expect(await command([], { terminal: true, env: { CI: 'true' } })).toBe(2);
  });

  it('refuses the name of a package that the runner needs', async () => {
    expect(await command(['zod'])).toBe(2);
    expect(bench.err).toContain('Try my-zod');
  });

  it('refuses a folder that holds something, also with --yes, and changes nothing in it', async () => {
    writeFileSync(join(bench.cwd, 'mine.txt'), 'mine');
    expect(await command(['my-runner', '--dir', '.', '--yes'])).toBe(1);
    expect(bench.err).toContain('mine.txt');
    expect(readdirSync(bench.cwd)).toEqual(['mine.txt']);
  });

  it('starts a git repository, but not inside one', async () => {
    await command(['outer']);
    expect(existsSync(join(bench.cwd, 'outer/.git'))).toBe(true);
    await command(['inner', '--dir', 'outer/inner']);
    expect(existsSync(join(bench.cwd, 'outer/inner/package.json'))).toBe(true);
    expect(existsSync(join(bench.cwd, 'outer/inner/.git'))).toBe(false);
    await command(['plain', '--no-git']);
    expect(existsSync(join(bench.cwd, 'plain/.git'))).toBe(false);
  });

  it('keeps the project and ends with 0 when git and the package manager are missing', async () => {
    expect(await command(['my-runner', '--install', '--git'], { env: { PATH: bench.cwd } })).toBe(0);
    expect(bench.err).toMatch(/! git did not start/);
    expect(bench.err).toMatch(/! The packages are not installed \(npm .*run "npm install" in it later/);
    expect(bench.out).toContain('npm install');
    expect(existsSync(join(bench.cwd, 'my-runner/package.json'))).toBe(true);
  });

  it('says what helps when the registry does not have the packages', async () => {
    const npm = join(bench.cwd, 'npm');
    const said = "npm error code E404\nnpm error 404 '@controlplane/jobforge@0.0.0' is not in this registry.";
    writeFileSync(npm, `#!/bin/sh\necho "${said}" >&2\nexit 1\n`, { mode: 0o755 });
    expect(
      await command(['my-runner', '--install', '--no-git'], { env: { PATH: `${bench.cwd}:/bin` } }),
    ).toBe(0);
    expect(bench.err).toMatch(
      /E404[^]*npm ended with 1[^]*does not have the @controlplane packages[^]*--packages DIR/,
    );
    expect(bench.out).toContain('npm install');
  });

  describe('--packages', () => {
    const PACKED = ['contracts', 'runner-sdk', 'capabilities', 'jobforge', 'contract-test-kit'];
    const spec = (name: string): string => `file:./vendor/controlplane-${name}-0.0.0.tgz`;
    const tarball = (name: string, version = '0.0.0'): string =>
      join(bench.cwd, 'packed', `controlplane-${name}-${version}.tgz`);
    const fromPacked = (...more: string[]) =>
      command(['my-runner', '--packages', 'packed', '--no-git', ...more]);
    beforeEach(() => {
      mkdirSync(join(bench.cwd, 'packed'));
      for (const name of PACKED) writeFileSync(tarball(name), name);
    });

    it.each([
      ['npm', (overrides: object) => ({ overrides })],
      ['bun', (overrides: object) => ({ overrides })],
      ['yarn', (resolutions: object) => ({ resolutions })],
      ['pnpm', (overrides: object) => ({ pnpm: { overrides } })],
    ])('brings the tarballs along in a project for %s', async (pm, worded) => {
      expect(await fromPacked('--pm', pm)).toBe(0);
      expect(read('my-runner/vendor/controlplane-jobforge-0.0.0.tgz')).toBe('jobforge');
      expect(readdirSync(join(bench.cwd, 'my-runner/vendor'))).not.toContain(
        'controlplane-capabilities-0.0.0.tgz',
      );
      expect(JSON.parse(read('my-runner/package.json'))).toMatchObject({
        dependencies: { '@controlplane/runner-sdk': spec('runner-sdk') },
        devDependencies: {
          '@controlplane/jobforge': spec('jobforge'),
          '@controlplane/contract-test-kit': spec('contract-test-kit'),
          vitest: expect.stringMatching(/^\d/),
        },
        ...worded(expect.objectContaining({ '@controlplane/contracts': spec('contracts') })),
      });
    });

    it('refuses a folder in which one is missing or twice, or that is none', async () => {
      writeFileSync(tarball('jobforge', '0.1.0'), '');
      expect(await fromPacked()).toBe(1);
      expect(bench.err).toMatch(
        /2 tarballs \(controlplane-jobforge-0\.0\.0\.tgz, .*of @controlplane\/jobforge/,
      );
      rmSync(tarball('contracts'));
      for (const version of ['0.0.0', '0.1.0']) rmSync(tarball('jobforge', version));
      expect(await fromPacked()).toBe(1);
      expect(bench.err).toMatch(/no tarball of @controlplane\/jobforge/);
      rmSync(join(bench.cwd, 'packed'), { recursive: true });
      expect(await fromPacked()).toBe(1);
      expect(bench.err).toMatch(/packed cannot be read/);
      expect(existsSync(join(bench.cwd, 'my-runner'))).toBe(false);
    });
  });

  it('answers --help and --version', async () => {
    expect(await command(['--help'])).toBe(0);
    expect(bench.out).toContain('Usage: npx create-runner NAME');
    bench.out = '';
    expect(await command(['-v'])).toBe(0);
    expect(bench.out).toBe('9.8.7\n');
  });
});
