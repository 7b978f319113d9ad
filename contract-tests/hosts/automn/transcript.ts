/** One message of a recorded session; `<text>` and `<number>` stand for what differs from time to time. */
export interface Recorded {
  readonly script: { readonly language: string; readonly code: string; readonly timeout?: number };
  readonly input: unknown;
  /** Lines of the answer; neighbouring pieces of output are one, since where they part is chance. */
  readonly log: string;
  readonly result: Readonly<Record<string, unknown>>;
}

/** What a runner registers with, once it is there and once as a heartbeat. */
export const REGISTRATION = {
  secret: 'default-secret',
  endpoint: '<text>',
  statusMessage: 'Runner heartbeat (startup)',
  maxConcurrency: '<number>',
  version: '0.2.16',
  minimumHostVersion: '0.2.0',
  os: '<text>',
  platform: '<text>',
  arch: '<text>',
  uptime: '<number>',
} as const;

const ENDED = {
  runId: '<text>',
  stderr: '',
  code: 0,
  duration: '<number>',
  returnData: null,
  automnLogs: [],
  automnNotifications: [],
};

/** Jobs as Automn and a runner of its own hold them: a return, a log and a notification, a failure, a time limit. */
export const TRANSCRIPT: readonly Recorded[] = [
  {
    script: {
      language: 'node',
      code: "console.log('hello'); AutomnReturn({ sum: 1 + JSON.parse(process.env.INPUT_JSON).a });",
    },
    input: { a: 2 },
    log: 'hello\n',
    result: { ...ENDED, stdout: 'hello', returnData: { sum: 3 }, input: { a: 2 } },
  },
  {
    script: {
      language: 'python',
      code: "AutomnLog('careful', 'warn', {'row': 7}, 'Import')\nAutomnNotify('ops', 'look', 'error')\nAutomnReturn([1])",
    },
    input: null,
    log: 'careful\n[notify:ops] look\n',
    result: {
      ...ENDED,
      stdout: '',
      returnData: [1],
      automnLogs: [
        {
          message: 'careful',
          level: 'warn',
          type: 'import',
          context: { row: 7 },
          order: 0,
          timestamp: '<text>',
        },
      ],
      automnNotifications: [
        { order: 0, audience: 'ops', message: 'look', level: 'error', raw: '<any>', timestamp: '<text>' },
      ],
      input: {},
    },
  },
  {
    script: { language: 'shell', code: 'echo no >&2; exit 3' },
    input: {},
    log: 'no\n',
    result: { ...ENDED, stdout: '', stderr: 'no\n', code: 3, input: {} },
  },
  {
    script: { language: 'shell', code: 'echo on; exec sleep 60', timeout: 1 },
    input: {},
    log: 'on\nTimeout exceeded.\n',
    result: { ...ENDED, stdout: 'on', stderr: 'Timeout exceeded.', code: 1, input: {} },
  },
];
