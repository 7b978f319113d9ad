import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { withJob, type AutomnLanguage } from './script-shim.js';

// What Automn's own runner gives a script, as far as it is needed to see what is called.
const AUTOMN: Readonly<Record<AutomnLanguage, string>> = {
  node: `const say = (name) => (...args) => console.log(JSON.stringify([name, ...args]));
Object.assign(globalThis, { AutomnReturn: say('return'), AutomnLog: say('log'), AutomnNotify: say('notify') });
`,
  python: `import json
AutomnReturn = lambda *args: print(json.dumps(["return", *args]))
AutomnLog = lambda *args: print(json.dumps(["log", *args]))
AutomnNotify = lambda *args: print(json.dumps(["notify", *args]))
`,
  bash: `AutomnReturn() { printf '["return",%s]\\n' "$1"; }
AutomnLog() { printf '["log","%s","%s"]\\n' "$1" "$2"; }
AutomnNotify() { printf '["notify","%s","%s","%s"]\\n' "$1" "$2" "$3"; }
`,
};

const SCRIPTS: Readonly<Record<AutomnLanguage, string>> = {
  node: `job.log.warn('careful'); job.progress(0.5); job.notify('look', 'error', 'ops'); job.return(job.input.a + 1);`,
  python: `import job
job.log("careful", "warn")
job.progress(0.5)
job.notify("look", "error", "ops")
job.returns(job.input["a"] + 1)`,
  bash: `job_log warn careful; job_progress 0.5; job_notify look error ops; job_return 3`,
};

const COMMANDS: Readonly<Record<AutomnLanguage, readonly string[]>> = {
  node: ['node', '-e'],
  python: ['python3', '-c'],
  bash: ['bash', '--norc', '-c'],
};

/** In place of Automn's own, which would have to come before what is first. */
const PRINTS = 'print(_json.dumps(value))';
const FUTURE = 'from __future__ import annotations';
const SAYS = 'import job\njob.returns([__doc__, "annotations" in globals()])';

function run(language: AutomnLanguage, code: string): unknown[] {
  const [program = '', ...args] = COMMANDS[language];
  const env = { PATH: process.env['PATH'], INPUT_JSON: '{"a":2}' };
  const { stdout, stderr } = spawnSync(program, [...args, code], { encoding: 'utf8', env });
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe.each(['node', 'python', 'bash'] as const)('a script of ours in %s', (language) => {
  test('speaks to its job in the words of Automn', () => {
    expect(run(language, AUTOMN[language] + withJob(language, SCRIPTS[language]))).toEqual([
      ['log', 'careful', 'warn'],
      ['notify', 'ops', 'look', 'error'],
      ['return', 3],
    ]);
  });
});

test('what has to be first stays first', () => {
  expect(withJob('bash', '#!/bin/bash\necho')).toMatch(/^#!\/bin\/bash\nif ! declare/);
  expect(withJob('python', '# a\nfrom __future__ import annotations\nprint()')).toMatch(
    /^# a\nfrom __future__ import annotations\ntry:/,
  );
  expect(withJob('node', 'x')).toMatch(/\nx$/);
});

describe('a script in Python keeps first what has to be', () => {
  test.each<[string, string, readonly [doc: unknown, isImported: boolean]]>([
    ['a docstring alone', `"""what it does"""\n${SAYS}`, ['what it does', false]],
    ['a docstring before an import', `"""a\n\\"""b"""\n\n${FUTURE}\n${SAYS}`, ['a\n"""b', true]],
    ['a docstring in quotes', `# c\n'it\\'s' "!" # d\n${FUTURE}\n${SAYS}`, ["it's!", true]],
    ['a raw one', `r'''\\d'''\n${FUTURE}\n${SAYS}`, ['\\d', true]],
    ['an import in parentheses', `from __future__ import (  # (1)\n  annotations,\n)\n${SAYS}`, [null, true]],
    ['one right behind its word', `from __future__ import(annotations)\n${SAYS}`, [null, true]],
    ['one over two lines', `from __future__ \\\n  import annotations\n${SAYS}`, [null, true]],
    ['several', `from __future__ import division\n# and\n\n${FUTURE}\n${SAYS}`, [null, true]],
    [
      'one before others on its line',
      `"""d"""; ${FUTURE}; import os; ${SAYS.replace('\n', '; ')}`,
      ['d', true],
    ],
    ['lines as Windows ends them', `#!/usr/bin/python3\r\n"""d"""\r\n${FUTURE}\r\n${SAYS}`, ['d', true]],
    ['a string that is used', `"x".upper()\n${SAYS}`, [null, false]],
    ['a string that is only a part', `"""x""" + 'y'\n${SAYS}`, [null, false]],
  ])('%s', (_what, code, seen) => {
    const given = withJob('python', code).replace('AutomnReturn(value)', PRINTS);
    expect(run('python', given)).toEqual([seen]);
  });

  test('where there is nothing else, too', () => {
    expect(withJob('python', FUTURE)).toMatch(/^from __future__ import annotations\ntry:/);
    expect(withJob('python', '')).toMatch(/^try:/);
    expect(withJob('python', '"""never ended')).toMatch(/^try:/);
  });
});

test('a first line as Windows ends it stays first', () => {
  expect(withJob('node', '#!/usr/bin/env node\r\nx')).toMatch(/^#!\/usr\/bin\/env node\r\nglobalThis.*\nx$/);
});
