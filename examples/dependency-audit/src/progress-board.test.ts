import type { JobEvent } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { createProgressBoard } from './progress-board.js';

const event = (type: JobEvent['type'], data?: JobEvent['data']): JobEvent => ({
  id: '1.0',
  type,
  jobId: 'job-1',
  timestamp: '2026-01-01T00:00:00.000Z',
  metadata: { service: 'jobforge', version: '1' },
  ...(data && { data }),
});

function output(isTTY: boolean): {
  isTTY: boolean;
  columns: number;
  written: string[];
  write(text: string): void;
} {
  const written: string[] = [];
  return { isTTY, columns: 60, written, write: (text) => void written.push(text) };
}

describe('progress board', () => {
  test('in a log it writes a line for each change of state and for each quarter', () => {
    const out = output(false);
    const board = createProgressBoard(['deps.licenses', 'deps.duplicates'], out);
    board.show('deps.licenses', event('job.started'));
    board.show(
      'deps.licenses',
      event('job.log', { level: 'info', message: 'reading', fields: { dir: '/x' } }),
    );
    for (const fraction of [0.1, 0.26, 0.3, 0.5, 0.6, 1])
      board.show('deps.licenses', event('job.progress', { fraction, message: 'at it' }));
    board.show('deps.licenses', event('job.completed'));
    expect(out.written).toEqual([
      'deps.licenses    running\n',
      'deps.licenses     26 %  at it\n',
      'deps.licenses     50 %  at it\n',
      'deps.licenses    100 %  at it\n',
      'deps.licenses    completed\n',
    ]);
  });

  test('on a terminal it redraws one line a job in place and keeps what is logged above', () => {
    const out = output(true);
    const board = createProgressBoard(['a', 'b'], out);
    board.show('a', event('job.started'));
    board.show('a', event('job.progress', { fraction: 0.5, message: 'half' }));
    board.show('b', event('job.log', { level: 'warn', message: 'look at this' }));
    expect(out.written[0]).not.toContain('\u001b[2A');
    expect(out.written[1]).toContain('\u001b[2A');
    expect(out.written[1]).toContain(`a  ${'█'.repeat(12)}${'░'.repeat(12)}   50 %  half`);
    expect(out.written[2]).toContain('b  warn  look at this\n');
  });

  test('no line on a terminal is wider than the terminal', () => {
    const out = output(true);
    createProgressBoard(['a'], out).show(
      'a',
      event('job.progress', { fraction: 0.5, message: 'long '.repeat(40) }),
    );
    // oxlint-disable-next-line no-control-regex -- the escape codes are what is taken out
    const visible = out.written.join('').replaceAll(/\u001b\[\d*[A-Z]/g, '');
    expect(Math.max(...visible.split('\n').map((text) => text.length))).toBeLessThan(60);
  });
});
