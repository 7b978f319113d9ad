import { describe, expect, test } from 'vitest';
import { splitCommand } from './command-line.js';

describe('a command line without a shell', () => {
  test.each([
    ['df -h', ['df', '-h']],
    ['  ls   "/var/log"  ', ['ls', '/var/log']],
    [`date --date='next day' +%F`, ['date', '--date=next day', '+%F']],
    [`echo "it's"`, ['echo', "it's"]],
    ['echo ""', ['echo', '']],
    [`find . -name '*.log' -o -name "[ab]?"`, ['find', '.', '-name', '*.log', '-o', '-name', '[ab]?']],
    ['git log HEAD~1', ['git', 'log', 'HEAD~1']],
    ['', []],
  ])('%s', (command, words) => {
    expect(splitCommand(command)).toEqual(words);
  });

  test.each([
    ...['a; b', 'a | b', 'a && b', 'a > b', 'a < b', 'echo $HOME', '$(a)', '`a`', 'a\nb', 'a \\b'],
    ...['ls *.log', 'ls a?', 'ls [ab]', 'ls ~', 'ls ~/x', `ls 'a'*`],
  ])('%s needs a shell', (command) => {
    expect(() => splitCommand(command)).toThrow(/which only a shell understands/);
  });

  test('a quotation mark without its partner is refused', () => {
    expect(() => splitCommand('echo "a')).toThrow(/without its partner/);
  });
});
