import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useBench } from './command.suite.js';

const bench = useBench();

describe('the package manager', () => {
  it.each([
    ['pnpm-lock.yaml', 'pnpm'],
    ['yarn.lock', 'yarn'],
    ['bun.lock', 'bun'],
  ])('is the one of the %s around, where npm starts the command', async (lockfile, pm) => {
    bench.write(lockfile, '');
    mkdirSync(join(bench.cwd, 'runners'));
    await bench.run(['my-runner', '--no-git'], { cwd: join(bench.cwd, 'runners') });
    expect(bench.out).toContain(`${pm} install`);
  });

  it('is not that of a lockfile beyond the repository', async () => {
    bench.write('yarn.lock', '');
    mkdirSync(join(bench.cwd, 'project/.git'), { recursive: true });
    await bench.run(['my-runner', '--no-git'], { cwd: join(bench.cwd, 'project') });
    expect(bench.out).toContain('npm install');
  });

  it('is the one that starts the command, whichever lockfile is around', async () => {
    bench.write('yarn.lock', '');
    const env = { PATH: process.env['PATH'], npm_config_user_agent: 'pnpm/10.0.0 npm/? node/v20' };
    await bench.run(['my-runner', '--no-git'], { env });
    expect(bench.out).toContain('pnpm install');
  });
});

describe('flags that npm took for itself', () => {
  const env = { PATH: process.env['PATH'], npm_config_template: 'shell', npm_config_port: '4000' };

  it('are used, with a notice', async () => {
    expect(await bench.run(['my-runner', '--no-git'], { env })).toBe(0);
    expect(bench.err).toMatch(/^! npm took --template shell --port 4000 for itself/);
    expect(bench.out).toContain('websocket');
  });

  it('give way to those that are typed', async () => {
    await bench.run(['my-runner', '--no-git', '--template=script', '--port', '4001'], { env });
    expect(bench.err).toBe('');
    expect(bench.read('my-runner/README.md')).toContain('script.run');
  });
});

describe('a delivery that the template does not have', () => {
  it('is refused with those that it has', async () => {
    const argv = ['my-runner', '--template', 'python', '--delivery', 'websocket'];
    expect(await bench.run(argv)).toBe(2);
    expect(bench.err).toMatch(/--delivery: .*python cannot take jobs by websocket\. Use push/);
    expect(bench.has('my-runner')).toBe(false);
  });

  it("is the template's own unless another is named", async () => {
    await bench.run(['a', '--template', 'shell', '--no-git']);
    expect(bench.read('a/src/index.ts')).toContain("'websocket'");
    await bench.run(['b', '--template', 'shell', '--delivery', 'long-poll', '--no-git']);
    expect(bench.read('b/src/index.ts')).toContain("'long-poll'");
    await bench.run(['c', '--template', 'dial-out', '--delivery', 'push', '--no-git']);
    expect(bench.read('c/src/index.ts')).not.toContain('delivery');
  });
});
