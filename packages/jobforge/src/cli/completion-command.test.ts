import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runJobforge } from './cli-run.fixture.js';

async function script(shell: string): Promise<string> {
  const { code, out } = await runJobforge('http://127.0.0.1:1', ['completion', shell]);
  expect(code).toBe(0);
  return out.join('\n');
}

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

/** Whether a shell finds nothing wrong with its script, without running it. */
async function isRead(shell: string, flag: string): Promise<boolean> {
  return spawnSync(shell, [flag], { input: await script(shell) }).status === 0;
}

/** What bash offers behind a line. */
async function completed(...line: string[]): Promise<string[]> {
  const quoted = line.map((word) => `'${word}'`).join(' ');
  const program = `${await script('bash')}
COMP_WORDS=(${quoted}); COMP_CWORD=${line.length - 1}
_jobforge_completion
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', program], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.trim().split('\n');
}

describe('completion', () => {
  it('offers commands, those below them, and their options: bash', async () => {
    expect(await completed('jobforge', 'jo')).toEqual(['job']);
    expect(await completed('jobforge', 'job', 'su')).toEqual(['submit']);
    expect(await completed('jobforge', 'job', 'submit', '--fol')).toEqual(['--follow']);
    expect(await completed('jobforge', 'runner', 'show', '--')).toContain('--json');
  });

  it('goes by the words that are commands, whatever stands between them: bash', async () => {
    expect(await completed('jobforge', 'job', '--json', 'sho')).toEqual(['show']);
    expect(await completed('jobforge', 'runner', 'show', 'job', 'su')).toEqual(['']);
  });

  it.skipIf(!has('zsh'))('is a script that zsh reads', async () => {
    expect(await isRead('zsh', '-n')).toBe(true);
  });

  it.skipIf(!has('fish'))('is a script that fish reads', async () => {
    expect(await isRead('fish', '--no-execute')).toBe(true);
  });

  it('describes commands where the shell shows that: zsh and fish', async () => {
    expect(await script('zsh')).toContain("'submit:");
    expect(await script('fish')).toContain("complete -c jobforge -n '__fish_seen_subcommand_from job");
  });

  it('refuses a shell that it does not know, naming those that it does', async () => {
    const { code, err } = await runJobforge('http://127.0.0.1:1', ['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(err.join('\n')).toContain('bash, zsh, fish');
  });
});
