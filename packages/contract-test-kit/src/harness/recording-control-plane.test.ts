import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { predefinedRunnerRegistration } from '../fixtures/predefined.js';
import { newExecution } from './runner-client.js';
import {
  startRecordingControlPlane,
  type ControlPlaneScript,
  type RecordingControlPlane,
} from './recording-control-plane.js';

let plane: RecordingControlPlane | undefined;
afterEach(() => plane?.close());

async function start(script?: ControlPlaneScript): Promise<RecordingControlPlane> {
  plane = await startRecordingControlPlane({ script });
  return plane;
}

const post = ({ url }: RecordingControlPlane, path: string, body: unknown): Promise<Response> =>
  fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });

describe('the recording control plane', () => {
  it('registers a runner, keeps its id and writes the message down', async () => {
    const control = await start();
    const reply = (await (await post(control, '/runners/register', predefinedRunnerRegistration)).json()) as {
      runnerId: string;
    };
    const again = (await (await post(control, '/runners/register', predefinedRunnerRegistration)).json()) as {
      runnerId: string;
    };
    expect(again.runnerId).toBe(reply.runnerId);
    expect(control.runnerId()).toBe(reply.runnerId);
    expect(control.of('register')).toMatchObject([
      { index: 0, issues: [], json: { name: 'conformance-runner' } },
      { index: 1 },
    ]);
  });

  it('says what a schema holds against a message', async () => {
    const control = await start();
    await post(control, '/runners/heartbeat', { runnerId: 'a b', timestamp: 'now', status: 'healthy' });
    expect(control.of('heartbeat')[0]?.issues).toEqual([
      expect.stringMatching(/^runnerId: /),
      expect.stringMatching(/^timestamp: /),
    ]);
  });

  it('answers otherwise when told to: an error, more members, a closed connection', async () => {
    const control = await start({
      answer: ({ kind, index }) => {
        if (kind !== 'heartbeat') return undefined;
        if (index === 0) return { error: 'SHUTTING_DOWN' };
        return index === 1 ? { members: { known: false } } : 'drop';
      },
    });
    const beat = (): Promise<Response> => post(control, '/runners/heartbeat', {});
    const refused = await beat();
    expect({ status: refused.status, body: await refused.json() }).toMatchObject({
      status: 503,
      body: { error: { code: 'SHUTTING_DOWN' } },
    });
    expect(await (await beat()).json()).toMatchObject({ known: false, receiving: true });
    await expect(beat()).rejects.toThrow('fetch failed');
    expect(control.of('heartbeat')).toHaveLength(3);
  });

  it('waits for a message that came, that comes, and not for ever', async () => {
    const control = await start();
    const isDeregister = ({ kind }: { kind: string }): boolean => kind === 'deregister';
    expect(await control.waitFor(isDeregister, { timeoutMs: 20 })).toBeUndefined();
    const coming = control.waitFor(isDeregister, { timeoutMs: 5_000 });
    await post(control, '/runners/r-1/deregister', {});
    expect(await coming).toMatchObject({ path: '/runners/r-1/deregister' });
    expect(await control.waitFor(isDeregister, { timeoutMs: 20 })).toBe(await coming);
  });

  it('takes no message for a fault of its own: events that are no list, an id that is no encoding', async () => {
    const control = await start();
    const [offered] = control.dialIn.offer({ ...newExecution('conformance.echo', {}), leaseToken: 'lease' });
    const id = offered?.body.executionId;
    const told = await post(control, `/executions/${id}/events`, { leaseToken: 'lease', events: null });
    expect(await told.json()).toMatchObject({ executionId: id });
    expect((await post(control, '/executions/%/accept', {})).status).toBe(404);
    const socket = new WebSocket(`${control.url.replace('http', 'ws')}/runners/connect`, 'controlplane.v1');
    await once(socket, 'open');
    for (const events of [null, 7, {}])
      socket.send(
        JSON.stringify({ type: 'events', executions: [{ executionId: id, leaseToken: 'lease', events }] }),
      );
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toMatchObject({ type: 'acknowledged' });
    socket.terminate();
    expect(control.of('events').map(({ issues }) => issues.length > 0)).toContain(true);
    expect(control.faults).toEqual([]);
  });

  it('writes down what is sent to a path that it does not know', async () => {
    const control = await start();
    expect((await post(control, '/heartbeat', {})).status).toBe(404);
    expect(control.of('other')).toMatchObject([{ method: 'POST', path: '/heartbeat' }]);
  });
});
