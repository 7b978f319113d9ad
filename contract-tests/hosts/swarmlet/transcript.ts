/** One frame of a recorded session; `<…>` stands for what differs from run to run. */
export interface Recorded {
  readonly from: 'runner' | 'server';
  readonly frame: Readonly<Record<string, unknown>>;
}

const ID = '5a0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a01';
const OTHER = '5a0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a02';
const THIRD = '5a0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a03';
const FOURTH = '5a0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a04';

/** A session as Swarmlet and a runner of its own hold it: hello, a success, a failure, a timeout, a cancel. */
export const TRANSCRIPT: readonly Recorded[] = [
  {
    from: 'runner',
    frame: {
      type: 'hello',
      runner_id: 7,
      secret: 'seven-secret',
      metadata: {
        hostname: '<text>',
        platform: '<text>',
        arch: '<text>',
        runner_version: '1.0.0',
        heartbeat_interval_ms: 30_000,
        capabilities: ['exec.full'],
      },
    },
  },
  { from: 'server', frame: { type: 'exec_request', job_id: ID, command: 'echo hello', timeout_secs: 30 } },
  { from: 'runner', frame: { type: 'exec_chunk', job_id: ID, stream: 'stdout', data: 'hello\n' } },
  { from: 'runner', frame: { type: 'exec_done', job_id: ID, exit_code: 0, duration_ms: '<number>' } },
  {
    from: 'server',
    frame: { type: 'exec_request', job_id: OTHER, command: 'echo no >&2; exit 3', timeout_secs: 0 },
  },
  { from: 'runner', frame: { type: 'exec_chunk', job_id: OTHER, stream: 'stderr', data: 'no\n' } },
  { from: 'runner', frame: { type: 'exec_done', job_id: OTHER, exit_code: 3, duration_ms: '<number>' } },
  { from: 'server', frame: { type: 'exec_request', job_id: THIRD, command: 'sleep 60', timeout_secs: 1 } },
  {
    from: 'runner',
    frame: { type: 'exec_error', job_id: THIRD, error: 'Command timed out after 1 seconds' },
  },
  {
    from: 'server',
    frame: { type: 'exec_request', job_id: FOURTH, command: 'echo on; exec sleep 60', timeout_secs: 0 },
  },
  { from: 'runner', frame: { type: 'exec_chunk', job_id: FOURTH, stream: 'stdout', data: 'on\n' } },
  { from: 'server', frame: { type: 'exec_cancel', job_id: FOURTH } },
  { from: 'runner', frame: { type: 'exec_done', job_id: FOURTH, exit_code: 143, duration_ms: '<number>' } },
];
