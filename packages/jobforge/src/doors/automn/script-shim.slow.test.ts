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
