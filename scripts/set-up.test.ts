import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const repository = resolve(import.meta.dirname, '..');
let tree: string;

beforeEach(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), 'set-up-')));
  cpSync(join(repository, 'scripts'), join(tree, 'scripts'), { recursive: true });
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

function write(path: string, content: string | object): void {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

function run(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: tree,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: tree, ...env },
  });
  return { code: status, output: stdout + stderr };
}

const runModule = (code: string, env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, ['--input-type=module', '-e', code], env);

describe('a bare npm install', () => {
  test('stops and names the command to use instead', () => {
    for (const name of ['package.json', 'pnpm-workspace.yaml', '.npmrc'])
      cpSync(join(repository, name), join(tree, name));
    const { code, output } = run('npm', ['install', '--offline']);
    expect(code).toBe(1);
    expect(output).toContain('Run `npm start` or `npm test`: both install everything.');
    expect(existsSync(join(tree, 'node_modules'))).toBe(false);
  });

  test('by another package manager is stopped by the preinstall script', () => {
    const { code, output } = run(process.execPath, ['scripts/only-pnpm.mjs'], {
      npm_config_user_agent: 'yarn/1.22.22',
    });
    expect(code).toBe(1);
    expect(output).toContain('npm start');
    expect(
      run(process.execPath, ['scripts/only-pnpm.mjs'], { npm_config_user_agent: 'pnpm/10.34.9' }).code,
    ).toBe(0);
  });
});

describe('the Node version', () => {
  const asNode = (version: string) =>
    runModule(
      `Object.defineProperty(process, 'versions', { value: { node: '${version}' } }); await import('./scripts/node-version.mjs')`,
    );

  test.each(['18.20.4', '20.18.3'])('%s is refused in one sentence', (version) => {
    const { code, output } = asNode(version);
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`^Node 20.19 or newer is needed, this is ${version}\\. .*\n$`));
  });

  test.each(['20.19.0', '22.0.0', '26.1.0'])('%s is accepted', (version) => {
    expect(asNode(version)).toEqual({ code: 0, output: '' });
  });
});

test('child tools see nothing of what npm put into the environment, but a mirror or proxy set by hand', () => {
  const { output } = runModule(
    `import { childEnvironment } from './scripts/environment.mjs'; console.log(JSON.stringify(childEnvironment({ A: '1' })))`,
    {
      npm_config_user_agent: 'npm/11',
      npm_lifecycle_event: 'test',
      npm_config_loglevel: 'silent',
      npm_config_noproxy: '',
      npm_config_registry: 'https://mirror.example/',
      npm_config_https_proxy: 'http://proxy.example',
      PNPM_HOME: '/x',
      PNPM_SCRIPT_SRC_DIR: '/x',
      INIT_CWD: '/x',
      KEPT: 'yes',
    },
  );
  const names = Object.keys(JSON.parse(output) as object).filter(
    (name) => !['PATH', 'HOME', '__CF_USER_TEXT_ENCODING'].includes(name),
  );
  expect(names.toSorted()).toEqual(['A', 'KEPT', 'npm_config_https_proxy', 'npm_config_registry']);
});

describe('building', () => {
  const build = () => {
    const { code, output } = runModule(
      `import { buildStale } from './scripts/build-packages.mjs'; import { main } from './scripts/report.mjs'; await main(() => buildStale());`,
    );
    return { code, output, built: /building (.*) …/.exec(output)?.[1] ?? '' };
  };

  beforeEach(() => {
    write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n\ncatalog:\n  zod: 4.0.0\n');
    write('package.json', { name: 'tree', private: true });
    const script = `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
      mkdirSync('dist', { recursive: true });
      writeFileSync('dist/index.js', readFileSync('src/index.ts', 'utf8'));
      if (readFileSync('src/index.ts', 'utf8').includes('broken')) { console.log('error: line 1 is broken'); process.exit(1); }`;
    for (const [name, dependencies] of [
      ['upper', { lower: '*' }],
      ['lower', {}],
      ['beside', {}],
    ] as const) {
      write(`packages/${name}/package.json`, { name, dependencies, scripts: { build: 'node build.mjs' } });
      write(`packages/${name}/build.mjs`, script);
      write(`packages/${name}/src/index.ts`, `// ${name}`);
    }
  });

  test('happens once, dependencies before what needs them', () => {
    expect(build()).toMatchObject({ code: 0, built: 'beside, lower, upper' });
    expect(readFileSync(join(tree, 'packages/upper/dist/index.js'), 'utf8')).toBe('// upper');
    expect(build()).toEqual({ code: 0, output: '', built: '' });
  });

  test('is repeated for what changed and for what depends on it', () => {
    build();
    write('packages/lower/src/index.ts', '// lower, changed');
    expect(build().built).toBe('lower, upper');
    write('packages/beside/src/index.ts', '// beside, changed');
    expect(build().built).toBe('beside');
  });

  test('is repeated when the output is gone or was made by somebody else', () => {
    build();
    rmSync(join(tree, 'packages/upper/dist'), { recursive: true });
    expect(build().built).toBe('upper');
    write('packages/lower/dist/index.js', '// other');
    expect(build().built).toBe('lower');
  });

  test('is not repeated for a test that changed', () => {
    build();
    write('packages/lower/src/index.test.ts', '// a test');
    expect(build().built).toBe('');
  });

  test('that fails is told in one sentence, with the first error and the log', () => {
    write('packages/lower/src/index.ts', '// broken');
    const { code, output } = build();
    expect(code).toBe(1);
    expect(output).toContain(
      '✗ lower does not build: error: line 1 is broken (log: .cache/build-lower.log).',
    );
    expect(existsSync(join(tree, 'packages/upper/dist'))).toBe(false);
    expect(readFileSync(join(tree, '.cache/build-lower.log'), 'utf8')).toContain('line 1 is broken');
  });
});

describe('changesets', () => {
  const check = () =>
    runModule(
      `import { checkChangesets } from './scripts/changesets.mjs'; import { main } from './scripts/report.mjs'; await main(async () => checkChangesets());`,
    );

  beforeEach(() => {
    write('pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
    write('packages/a/package.json', { name: '@s/a' });
    write('packages/b/package.json', { name: 'b', private: true });
    write('.changeset/config.json', { fixed: [], linked: [] });
  });

  test('pass when each names a published package and says something', () => {
    write('.changeset/one.md', "---\n'@s/a': minor\n---\n\nSomething new.\n");
    expect(check()).toEqual({ code: 0, output: '' });
  });

  test.each([
    ["---\n'@s/gone': minor\n---\n\nText\n", 'names no published package'],
    ["---\n'b': minor\n---\n\nText\n", 'names no published package'],
    ["---\n'@s/a': huge\n---\n\nText\n", 'names no published package'],
    ["---\n'@s/a': minor\n---\n\n", 'says nothing'],
    ['Only text\n', 'has no front matter'],
  ])('%j is refused', (text, message) => {
    write('.changeset/one.md', text);
    const { code, output } = check();
    expect(code).toBe(1);
    expect(output).toContain(message);
  });
});
