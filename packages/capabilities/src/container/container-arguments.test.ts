import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createArguments } from './container-arguments.js';
import { ContainerInput } from './container-input.js';
import { createPermissions } from './container-permissions.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'permissions-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
mkdirSync(join(root, 'data/sub'), { recursive: true });
symlinkSync('/etc', join(root, 'data/link'));

const image = 'ghcr.io/acme/tool:1';
const plan = (input: ContainerInput) => ({
  name: 'controlplane-1',
  input,
  allowed: {
    network: 'none',
    mounts: [{ source: '/data', target: '/mnt' }],
    limits: { memoryBytes: 1e9, cpus: 0.5 },
  },
  inputFolder: '/files/input',
  outputFolder: '/files/output',
  envFiles: ['/files/variables'],
  passedOn: ['PEM'],
});

describe('the arguments of the engine', () => {
  test('hold no value of a variable, and end with the image and its own arguments', () => {
    const input = {
      image,
      command: ['--privileged', '-v', '/:/host'],
      env: { PASSWORD: 'correct horse', PEM: 'a\nb' },
    };
    const args = createArguments({ kind: 'docker' }, plan(input));
    expect(args.join(' ')).not.toMatch(/correct horse|a\nb/);
    expect(args.slice(-4)).toEqual([image, '--privileged', '-v', '/:/host']);
    expect(args).toEqual(
      expect.arrayContaining([
        '--network=none',
        '--volume=/data:/mnt:ro',
        '--memory=1000000000',
        '--cpus=0.5',
        '--env=PEM',
      ]),
    );
    expect(args).not.toContain('--interactive');
  });

  test('keep the proxies of podman from the container', () => {
    expect(createArguments({ kind: 'podman' }, plan({ image }))).toContain('--http-proxy=false');
  });
});

describe('the input', () => {
  test.each([
    { image: '--privileged' },
    { image: 'a b' },
    { image, user: '--privileged' },
    { image, mounts: [{ source: '/data:/etc', target: '/mnt' }] },
    { image, mounts: [{ source: '/data', target: '/mnt:rw' }] },
    { image, files: [{ name: '../x', content: '' }] },
    { image, files: [{ name: '..', content: '' }] },
    { image, workdir: 'relative' },
    { image, privileged: true },
  ])('%o is refused', (input) => {
    expect(ContainerInput.safeParse(input).success).toBe(false);
  });
});

describe('permissions', () => {
  const allow = createPermissions({
    images: ['ghcr.io/acme/*', 'docker.io/library/alpine:3.20'],
    networks: ['none', 'bridge'],
    mounts: [{ source: join(root, 'data') }],
    limits: { memoryBytes: 100_000_000, cpus: 2 },
  });

  test.each([
    ['ghcr.io/acme/tool:1', true],
    ['docker.io/library/alpine:3.20', true],
    ['docker.io/library/alpine:3x20', false],
    ['evil.example/ghcr.io/acme/tool', false],
    ['ghcr.io/acmeevil/tool', false],
  ])('the image %s: %s', (name, isAllowed) => {
    const judged = () => allow({ image: name });
    if (isAllowed) expect(judged()).toMatchObject({ network: 'none' });
    else expect(judged).toThrow(/is not allowed by this runner/);
  });

  test('a network that is not named, a folder outside and one behind a link are refused', () => {
    expect(allow({ image, network: 'bridge' }).network).toBe('bridge');
    expect(() => allow({ image, network: 'host' })).toThrow(/network "host" is not allowed/);
    for (const source of ['/etc', join(root, 'data/../other'), join(root, 'data/link'), root])
      expect(() => allow({ image, mounts: [{ source, target: '/mnt' }] })).toThrow(
        /mounting .* is not allowed/,
      );
    const mounts = [{ source: join(root, 'data/sub'), target: '/mnt' }];
    expect(allow({ image, mounts }).mounts).toEqual([{ ...mounts[0], readonly: true }]);
  });

  test('the stricter limit holds', () => {
    expect(allow({ image, limits: { memoryBytes: 50_000_000, cpus: 8 } }).limits).toMatchObject({
      memoryBytes: 50_000_000,
      cpus: 2,
    });
  });

  test('without images, networks or a folder that is there they are refused themselves', () => {
    expect(() => createPermissions({ images: [] })).toThrow(/images is empty/);
    expect(() => createPermissions({ images: ['*'], networks: [] })).toThrow(/networks is empty/);
    expect(() => createPermissions({ images: ['*'], mounts: [{ source: '/no/such' }] })).toThrow(
      /is not there/,
    );
  });
});
