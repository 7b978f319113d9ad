/** One frame of a recorded session; `<…>` stands for what differs from run to run. */
interface Recorded {
  readonly from: 'runner' | 'server';
  readonly frame: Readonly<Record<string, unknown>>;
}

const execution = (methodArgs: object, more: object = {}): object => ({
  dispatchId: '5a0cbd0e-8f0a-4f5e-9d7e-0d8f6f1f9a01',
  leaseId: 'lease-1',
  execution: {
    protocolVersion: 4,
    modelType: 'command/shell',
    modelId: 'm-1',
    methodName: 'execute',
    globalArgs: {},
    methodArgs,
    definitionMeta: { id: 'm-1', name: 'sh', version: 1, tags: {} },
    ...more,
  },
  bundleFingerprint: 'builtin:command/shell',
  reportBundleFingerprints: [],
  environmentSnapshot: { DEPLOY_ENV: 'prod' },
});
const request = (id: string, params: object): Recorded => ({
  from: 'server',
  frame: { type: 'rpc.request', id, method: 'worker.dispatch', params },
});
const line = (id: string, text: string, stream = 'stdout'): Recorded => ({
  from: 'runner',
  frame: {
    type: 'rpc.stream',
    id,
    event: { kind: 'method_event', event: { type: 'output', line: text, stream } },
  },
});
const output = (name: string, type: string): object => ({
  dataId: `d-${name}`,
  name,
  specName: name,
  version: 1,
  type,
});
const error = (text: string): object => ({
  status: 'error',
  error: text,
  outputs: [],
  logs: [],
  durationMs: '<number>',
});
const response = (id: string, result: object): Recorded => ({
  from: 'runner',
  frame: { type: 'rpc.response', id, result },
});

/** A session as swamp and a runner of its own hold it: enrollment, a success, a failure, a time limit, a cancel, a drain. */
export const TRANSCRIPT: readonly Recorded[] = [
  {
    from: 'runner',
    frame: {
      type: 'rpc.request',
      id: '<text>',
      method: 'worker.enroll',
      params: {
        token: 'fleet.s3cret',
        instanceUuid: '<text>',
        machineId: 'machine-1',
        protocolVersion: 4,
        swampVersion: '<text>',
        platform: '<text>',
        arch: '<text>',
        labels: { region: 'eu' },
        resourceLimits: { capacity: 10 },
      },
    },
  },
  request('r-1', execution({ run: 'echo $DEPLOY_ENV' })),
  line('r-1', 'prod'),
  response('r-1', {
    status: 'success',
    outputs: [output('result', 'resource'), output('log', 'file')],
    logs: [],
    durationMs: '<number>',
  }),
  request('r-2', { ...execution({ run: 'echo no >&2; exit 3' }), dispatchId: 'd-2' }),
  line('r-2', 'no', 'stderr'),
  response('r-2', error('Command exited with code 3')),
  request('r-3', { ...execution({ run: 'sleep 60', timeout: 300 }), dispatchId: 'd-3' }),
  response('r-3', error('Command timed out after 300 ms')),
  request('r-4', { ...execution({ run: 'echo on; exec sleep 60' }), dispatchId: 'd-4' }),
  line('r-4', 'on'),
  { from: 'server', frame: { type: 'rpc.cancel', id: 'r-4' } },
  {
    from: 'runner',
    frame: {
      type: 'rpc.error',
      id: 'r-4',
      error: { code: 'cancelled', message: 'the dispatch was cancelled' },
    },
  },
];
