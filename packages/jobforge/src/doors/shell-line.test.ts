import { describe, expect, it } from 'vitest';
import { toLine } from './shell-line.js';

const refusalOf = (read: () => unknown): string => {
  try {
    return JSON.stringify(read());
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe('a command as a line for a POSIX shell', () => {
  it.each([
    [{ command: 'ls | wc -l' }, 'ls | wc -l'],
    [{ argv: ['ls', '-l', '/tmp'] }, `'ls' -l /tmp`],
    [{ argv: ['FOO=1', 'true'] }, `'FOO=1' true`],
    [{ argv: ['if', "it's"] }, `'if' 'it'\\''s'`],
    [{ argv: ['echo', "it's", '$HOME', '', '-n'] }, `'echo' 'it'\\''s' '$HOME' '' -n`],
    [{ command: 'make', cwd: '/a b' }, `cd -- '/a b' || exit\nmake`],
    [{ command: 'make', env: { A: '1', B: 'x;y' } }, `export A=1\nexport B='x;y'\nmake`],
    [{ command: 'cat # all', stdin: 'a\nb' }, `printf %s 'a\nb' | {\ncat # all\n}`],
  ])('%j', (payload, command) => {
    expect(toLine(payload, 'posix')).toEqual({ command, exitCodes: [0] });
  });

  it('keeps the exit codes that count as success', () => {
    expect(toLine({ command: 'x', exitCodes: [0, 7] }, 'posix').exitCodes).toEqual([0, 7]);
  });
});

describe('what a runner has no words for', () => {
  it.each([
    ['posix', { command: 'x', limits: { cpuSeconds: 1 } }, '`limits`'],
    ['posix', { command: 'x\0y' }, 'a NUL'],
    ['posix', {}, 'either `argv` or `command`'],
    ['posix', { command: 'x', argv: ['x'] }, 'either `argv` or `command`'],
    ['posix', { command: 'x', env: { 'A B': '1' } }, 'no command'],
    ['line', { argv: ['x'] }, '`argv`'],
    ['line', { command: 'x', cwd: '/' }, '`cwd`'],
    ['readonly', { command: 'ls' }, '`command`'],
    ['readonly', { argv: ['ls', 'a b'] }, 'the argument "a b"'],
    ['readonly', { argv: ['ls', ''] }, 'the argument ""'],
    ['readonly', { argv: ['cat', '$(id)'] }, 'the argument "$(id)"'],
    ['readonly', { argv: ['ls'], stdin: 'x' }, '`stdin`'],
  ] as const)('%s %j is refused for %s', (dialect, payload, what) => {
    expect(refusalOf(() => toLine(payload, dialect))).toContain(what);
  });
});
