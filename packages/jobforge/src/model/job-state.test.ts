import { describe, expect, it } from 'vitest';
import { canMove, JOB_TRANSITIONS, moveJob, shownStatus, type JobPhase } from './job-state.js';

const PHASES = Object.keys(JOB_TRANSITIONS) as JobPhase[];

describe('job states', () => {
  it('let nothing follow the end', () => {
    expect(PHASES.filter((phase) => canMove('ended', phase))).toEqual([]);
    expect(PHASES.filter((phase) => canMove('ending', phase))).toEqual(['ended']);
  });

  it('can be left for an end from wherever a job can be on disk', () => {
    const onDisk: JobPhase[] = ['pending', 'queued', 'leased', 'running', 'retrying'];
    expect(onDisk.filter((phase) => !canMove(phase, 'ending'))).toEqual([]);
  });

  it('let a job run only after it was offered', () => {
    expect(PHASES.filter((phase) => canMove(phase, 'running'))).toEqual(['leased']);
  });

  it('refuse a step that the table does not have', () => {
    const job = { id: 'j', phase: 'queued' as JobPhase };
    expect(() => moveJob(job, 'running')).toThrow('job j cannot go from queued to running');
    expect(job.phase).toBe('queued');
  });

  it.each([
    ['leased', 'queued'],
    ['running', 'running'],
    ['ending', 'running'],
    ['retrying', 'retrying'],
    ['pending', 'pending'],
  ] as const)('show %s as %s', (phase, status) => {
    expect(shownStatus(phase)).toBe(status);
  });
});
