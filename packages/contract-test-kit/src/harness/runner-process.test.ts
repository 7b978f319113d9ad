import { describe, expect, it } from 'vitest';
import { startRunnerProcess, type RunnerProcess } from './runner-process.js';

const start = (command: string): RunnerProcess =>
  startRunnerProcess({ command, env: { PATH: process.env['PATH'], GREETING: 'hello' } });

/** Resolves when the process has written the text. */
const wrote = (runner: RunnerProcess, text: string): Promise<unknown> =>
  expect.poll(() => runner.output(), { timeout: 5_000 }).toContain(text);

const onTerm = (code: number): string =>
  `node -e "process.on('SIGTERM', () => process.exit(${code})); setInterval(() => {}, 1000); console.log('up')"`;

describe('startRunnerProcess', () => {
  it('gives the command its environment and keeps what it writes', async () => {
    const runner = start('echo "$GREETING"; echo sorry >&2; exit 4');
    expect(await runner.ended).toEqual({ code: 4, signal: null });
    expect(runner.output()).toBe('hello\nsorry\n');
    await runner.stop();
  });

  it.each([
    ['a plain command', onTerm(7)],
    ['a command behind another', `cd / && ${onTerm(7)}`],
  ])('tells the exit code of the runner itself: %s', async (_name, command) => {
    const runner = start(command);
    await wrote(runner, 'up');
    runner.signal('SIGTERM');
    expect(await runner.ended).toEqual({ code: 7, signal: null });
    await runner.stop();
  });

  it('kills what ignores SIGTERM', async () => {
    const runner = start(
      `node -e "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')"`,
    );
    await wrote(runner, 'up');
    await runner.stop();
    expect(runner.end()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('takes a command that does not exist for one that ended', async () => {
    const runner = start('no-such-command-here');
    expect((await runner.ended).code).toBe(127);
    expect(runner.output()).toContain('no-such-command-here');
    await runner.stop();
  });
});

describe('what a runner leaves behind in a session of its own', () => {
  it('does not keep the kit waiting for its output', async () => {
    const pipes = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const runner = start('setsid sleep 20 & sleep 0.2');
    await runner.ended;
    const held = pipes();
    await runner.stop();
    // Its stdout and its stderr.
    await expect.poll(pipes, { timeout: 2_000 }).toBeLessThanOrEqual(held - 2);
  });
});
