import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { handWrittenRunner } from './commands.js';

const packageFile = (name: string): string =>
  fileURLToPath(new URL(`../../packages/contract-test-kit/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'contract-test-ci-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'contract-test.yaml'), 'run: [health.*]\n');

/** Runs what the CI systems run, with the variables that they set. */
function runCi(variables: Readonly<Record<string, string>>): Promise<{ code: number; out: string }> {
  const env = { ...process.env, ...variables };
  return new Promise((resolve) => {
    execFile('bash', [packageFile('ci/run.sh')], { cwd: folder, env }, (error, out) =>
      resolve({ code: error ? Number(error.code) : 0, out }),
    );
  });
}

describe('what action.yml and ci/gitlab.yml run', { timeout: 60_000 }, () => {
  it('writes every report, the outputs and the summary, and passes', async () => {
    const { command } = handWrittenRunner();
    const variables = {
      // Quotes, spaces and what a shell would run stay one argument.
      CONTRACT_COMMAND: `: "a  b" '$(touch oops)' ; ${command}`,
      CONTRACT_PROFILES: ' core  streaming ',
      CONTRACT_REPORTS: 'my reports',
      GITHUB_OUTPUT: join(folder, 'outputs'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
    };
    const { code, out } = await runCi(variables);
    expect(out).toContain('conformant: core');
    expect(code).toBe(0);
    expect(existsSync(join(folder, 'oops'))).toBe(false);
    for (const name of ['json', 'xml', 'sarif', 'md', 'html', 'env'])
      expect(existsSync(join(folder, 'my reports', `contract.${name}`))).toBe(true);
    expect(readFileSync(join(folder, 'outputs'), 'utf8')).toMatch(
      /^CONTRACT_OK=true\n[\s\S]*CONTRACT_EXIT_CODE=0\n/,
    );
    expect(readFileSync(join(folder, 'summary'), 'utf8')).toMatch(/^### ✅ Contract 1\.0/);
  });

  it('exits as the kit does, and leaves no report of an earlier run', async () => {
    const command = { CONTRACT_COMMAND: handWrittenRunner('health.complete').command };
    expect((await runCi(command)).code).toBe(0);
    expect((await runCi({ ...command, CONTRACT_STRICT: 'true' })).code).toBe(1);
    expect((await runCi({ CONTRACT_COMMAND: 'exit 9' })).code).toBe(4);
    expect(readFileSync(join(folder, 'contract-reports/contract.env'), 'utf8')).toMatch(
      /^CONTRACT_EXIT_CODE=4\n/,
    );
    expect(existsSync(join(folder, 'contract-reports/contract.json'))).toBe(false);
  });
});

interface Action {
  inputs: Record<string, { description: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: string; steps: { id: string; run: string; env: Record<string, string> }[] };
}

describe('action.yml', () => {
  const { inputs, outputs, runs } = parse(readFileSync(packageFile('action.yml'), 'utf8')) as Action;
  const [step] = runs.steps;

  it('hands every input to the script as a variable, none as text of the script', () => {
    const variables = Object.values(step?.env ?? {}).map((value) => /inputs\.([\w-]+)/.exec(value)?.[1]);
    expect(new Set([...variables, 'working-directory'])).toEqual(new Set(Object.keys(inputs)));
    expect(step?.run).not.toContain('${{');
    const script = readFileSync(packageFile('ci/run.sh'), 'utf8');
    for (const name of Object.keys(step?.env ?? {})) expect(script).toContain(name);
  });

  it('has outputs that a run writes', () => {
    const written = readFileSync(join(folder, 'outputs'), 'utf8');
    for (const { value } of Object.values(outputs))
      expect(written).toContain(`${/steps\.run\.outputs\.(\w+)/.exec(value)?.[1]}=`);
  });
});

describe('ci/gitlab.yml', () => {
  it('is a hidden job with the reports that GitLab reads', () => {
    const jobs = parse(readFileSync(packageFile('ci/gitlab.yml'), 'utf8')) as Record<string, unknown>;
    expect(jobs['.contract-test']).toMatchObject({
      artifacts: {
        when: 'always',
        reports: { junit: expect.stringMatching(/xml$/), dotenv: expect.any(String) },
      },
    });
  });
});
