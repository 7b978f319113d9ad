/** One call of a recorded session; `<…>` stands for what differs from run to run. */
export interface RecordedCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** What the control plane answered, with status 200; missing where it says nothing that matters. */
  readonly answer?: unknown;
}

const ID = '5a0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a11';
const OTHER = '6b0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a12';
const THIRD = '7c0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a13';

const status = (task_id: string, said: 'running' | 'success' | 'error', message: string): RecordedCall => ({
  method: 'POST',
  path: '/status',
  body: {
    task_id,
    status: said,
    message,
    ...(said === 'success' ? { progress: 100 } : {}),
    timestamp: '<text>',
  },
});

const message = (role: string, content: string): object => ({
  id: '<text>',
  role,
  content,
  model: 'container.run',
  provider: 'controlplane-runner',
  created_at: '<number>',
  finished_at: '<number>',
});

const logs = (task_id: string, title: string, messages: readonly object[]): RecordedCall => ({
  method: 'POST',
  path: '/logs',
  body: {
    task_id,
    session: {
      id: task_id,
      title,
      prompt_tokens: 0,
      completion_tokens: 0,
      cost: 0,
      created_at: '<number>',
      updated_at: '<number>',
      messages,
    },
  },
});

const given = (task_id: string, prompt: string, more: object = {}): RecordedCall => ({
  method: 'GET',
  path: '/tasks/pending',
  answer: {
    task_id,
    prompt,
    orchestrator_url: 'http://quarterback.example',
    timeout_seconds: 3_600,
    ...more,
  },
});

const READ = 'cat "$TASK_FILES_DIR/my report.csv"';
const FAIL = 'echo no >&2; exit 3';
const SLOW = 'echo on; sleep 60';

/** A session as the control plane and a runner hold it: registration, a success with a file, a failure, a timeout. */
export const TRANSCRIPT: readonly RecordedCall[] = [
  {
    method: 'POST',
    path: '/register',
    body: { hostname: '<text>', name: 'builder', os_type: '<text>' },
    answer: { id: '<text>', api_key: '<text>' },
  },
  given(ID, READ, { files: ['my report.csv'] }),
  { method: 'GET', path: '/files/my%20report.csv', answer: 'a,b\n' },
  status(ID, 'running', 'Task started'),
  logs(ID, READ, [message('user', READ), message('assistant', 'a,b\n')]),
  status(ID, 'success', 'Task completed successfully'),
  given(OTHER, FAIL),
  status(OTHER, 'running', 'Task started'),
  logs(OTHER, FAIL, [
    message('user', FAIL),
    message('tool', 'no\n'),
    message('system', 'Task failed with exit code 3\n'),
  ]),
  status(OTHER, 'error', 'Task failed with exit code 3'),
  given(THIRD, SLOW, { timeout_seconds: 1 }),
  status(THIRD, 'running', 'Task started'),
  logs(THIRD, SLOW, [message('user', SLOW), message('assistant', 'on\n'), message('system', '<text>')]),
  status(THIRD, 'error', 'Task timed out after 1 seconds'),
];
