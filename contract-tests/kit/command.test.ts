import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContractReport } from '@controlplane/contract-test-kit';
import { afterAll, describe, expect, it } from 'vitest';
import { handWrittenRunner } from './commands.js';
import { isAlive } from './processes.js';

const bin = fileURLToPath(new URL('../../packages/contract-test-kit/bin/contract-test.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'contract-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written.err += chunk.toString()));
  return { child, written };
}

async function run(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const { child, written } = start(args);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...written };
}

describe('the built command', () => {
  it(
    'writes the report to stdout and nothing else, more reports to files, and exits 1',
    { timeout: 60_000 },
    async () => {
      const { command } = handWrittenRunner('execute.keeps-text-intact');
      const noisy = `echo noise; echo more noise >&2; ${command}`;
      const { code, out, err } = await run(
        'run',
        '--command',
        noisy,
        '--run',
        'execute.*',
        '--json',
        '--report',
        'junit=out/report.xml',
      );
      const report = ContractReport.parse(JSON.parse(out));
      expect({ code, err, conformant: report.conformant }).toEqual({ code: 1, err: '', conformant: false });
      const [broken] = report.results.filter(({ status }) => status === 'failed');
      expect(broken).toMatchObject({
        id: 'execute.keeps-text-intact',
        finding: { again: expect.stringContaining('--run execute.keeps-text-intact --seed 1') },
      });
      expect(readFileSync(join(folder, 'out/report.xml'), 'utf8')).toContain('<failure type="MUST"');
    },
  );

  it('exits 0 for a runner with warnings alone, and 1 with --strict', { timeout: 60_000 }, async () => {
    const args = [
      'run',
      '--command',
      handWrittenRunner('health.complete').command,
      '--run',
      'health.complete',
    ];
    expect(await run(...args)).toMatchObject({ code: 0, out: expect.stringContaining('1 warning') });
    expect(await run(...args, '--strict')).toMatchObject({
      code: 1,
      out: expect.stringContaining('not conformant: core'),
    });
  });

  it('runs what init wrote, and leaves the reports that it names', { timeout: 60_000 }, async () => {
    expect(await run('init', '--command', handWrittenRunner().command)).toMatchObject({ code: 0 });
    expect(await run('run', '--run', 'health.*')).toMatchObject({ code: 0, err: '' });
    const read = (name: string): string => readFileSync(join(folder, 'contract-reports', name), 'utf8');
    expect(read('contract.env')).toMatch(/^CONTRACT_OK=true\n/);
    expect(ContractReport.parse(JSON.parse(read('contract.json'))).ok).toBe(true);
    rmSync(join(folder, 'contract-test.yaml'));
  });

  it('explains from its own files', async () => {
    expect(await run('explain', 'health.answers')).toMatchObject({
      code: 0,
      out: expect.stringContaining('to mend'),
    });
  });

  it('exits 2 and 4 without a word on stdout', { timeout: 60_000 }, async () => {
    expect(await run('run')).toMatchObject({ code: 2, out: '' });
    expect(await run('run', '--command', 'exit 3')).toMatchObject({ code: 4, out: '' });
  });

  it('leaves no runner behind when it is interrupted', { timeout: 60_000 }, async () => {
    const { child } = start(['run', '--command', 'echo $$ > pid; sleep 60']);
    const pidOf = (): number => Number(readFileSync(join(folder, 'pid'), 'utf8'));
    await expect.poll(() => pidOf() > 0, { timeout: 10_000 }).toBe(true);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    await expect.poll(() => isAlive(pidOf()), { timeout: 5_000 }).toBe(false);
  });
});
