import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { handWrittenDialOut, handWrittenRunner } from './commands.js';

const kit = fileURLToPath(new URL('../../packages/contract-test-kit/bin/contract-test.js', import.meta.url));

function drain(...args: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [kit, 'drain', ...args], {
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

describe('contract-test drain', { timeout: 120_000 }, () => {
  it('certifies a runner that finishes what it has', () => {
    const { code, out } = drain('--command', handWrittenRunner().command, '--json');
    expect(JSON.parse(out)).toMatchObject({
      offered: 8,
      finished: 8,
      lost: 0,
      duplicated: 0,
      late: 0,
      exitCode: 0,
      ok: true,
    });
    expect(code).toBe(0);
  });

  it.each(['websocket', 'long-poll'])('certifies one that dials in by %s, and ends with it', (delivery) => {
    const { command } = handWrittenDialOut();
    const startedAt = performance.now();
    const { code, out, err } = drain('--command', `RUNNER_DELIVERY=${delivery} ${command}`, '--json');
    expect(JSON.parse(out)).toMatchObject({ lost: 0, duplicated: 0, ok: true });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    // Far from the limit of the command: what nobody answers after the end is not waited for.
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });

  it('counts what is lost of one that leaves with its first outcome', () => {
    const { code, out } = drain('--command', handWrittenRunner('shutdown.loses-nothing').command, '--json');
    const { finished, lost, ok } = JSON.parse(out) as { finished: number; lost: number; ok: boolean };
    expect({ all: finished + lost, isLost: lost > 0, ok }).toEqual({ all: 8, isLost: true, ok: false });
    expect(code).toBe(1);
  });

  it('says so where there is no work to drain', () => {
    const { code, out, err } = drain('--command', handWrittenRunner().command, '--input', 'own.work={}');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('does not offer own.work');
  });
});
