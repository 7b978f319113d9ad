import { tmpdir } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import type { Case } from '../case/case.js';
import type { ContractReport } from '../reporters/report.js';
import { main } from './main.js';

/** Faults, planted where a kit may have some. */
vi.mock('../cases/all-cases.js', () => {
  const planted: readonly Case[] = [
    {
      id: 'health.answers',
      judge: () => {
        throw new TypeError('planted in a case');
      },
    },
    {
      id: 'registration.retries-when-unavailable',
      judge: async (context) => {
        const answer = (): never => {
          throw new TypeError('planted in the control plane');
        };
        const { controlPlane } = await context.startRunner({ awaitRegistration: false, script: { answer } });
        // A kit that does not see its own fault would blame the runner for this.
        await vi.waitFor(() => expect(controlPlane?.faults).not.toEqual([]), { timeout: 15_000 });
        throw Object.assign(new Error('the runner did not register'), { name: 'Mismatch' });
      },
    },
    { id: 'manifest.served', judge: async ({ runner }) => void (await runner.client.get('manifest')) },
  ];
  return { CASES: new Map(planted.map((item) => [item.id, item])) };
});

const RUNNER = `
  const { PORT, JOBFORGE_URL } = process.env;
  require('node:http').createServer((_, response) => response.end(JSON.stringify({ status: 'healthy' }))).listen(PORT, '127.0.0.1');
  setInterval(() => fetch(JOBFORGE_URL + '/runners/register', { method: 'POST', body: '{}' }).catch(() => {}), 100);`;

describe('a fault that is planted in the kit', { timeout: 60_000 }, () => {
  it('ends with exit code 3 and accuses the kit, never the runner', async () => {
    const written = { out: '', err: '' };
    const ids = ['health.answers', 'registration.retries-when-unavailable', 'manifest.served'];
    const command = `'${process.execPath}' -e '${RUNNER.replaceAll("'", '"')}'`;
    const code = await main(['run', '--command', command, '--json', ...ids.flatMap((id) => ['--run', id])], {
      out: (text) => void (written.out += text),
      err: (text) => void (written.err += text),
      color: false,
      cwd: tmpdir(),
      environment: process.env,
    });
    expect(written.err).toBe('');
    const { summary, results, conformant } = JSON.parse(written.out) as ContractReport;
    expect({ code, conformant, summary }).toMatchObject({
      code: 3,
      conformant: false,
      summary: { error: 2, failed: 0, warned: 0, passed: 1 },
    });
    expect(Object.fromEntries(results.map(({ id, reason }) => [id, reason]))).toMatchObject({
      'health.answers': expect.stringContaining('planted in a case'),
      'registration.retries-when-unavailable': expect.stringContaining('planted in the control plane'),
    });
  });
});
