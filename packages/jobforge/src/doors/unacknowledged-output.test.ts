import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { JobSubmission } from '@controlplane/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { OPEN_GATE } from '../model/caller.js';
import { systemClock } from '../model/clock.js';
import { silentLog } from '../model/log.js';
import { engineOver } from '../testing/engine-over.fixture.js';
import { startScriptedRunner } from './automn/scripted-runner.fixture.js';
import type { DoorParts } from './door.js';
import { openDoors } from './open-doors.js';

const MEGABYTE = 1024 * 1024;
const LINE = 'x'.repeat(64 * 1024);
const LINES = 400;

/** JobForge as a door has it, which says nothing of what it has written until it is let. */
function holding(connectRunner: DoorParts['operations']['connectRunner']) {
  const heard = { bytes: 0 };
  const waiting: (() => void)[] = [];
  let isHeld = true;
  const connect: typeof connectRunner = (connection, caller) => {
    const send = (text: string): void => {
      if (isHeld && text.includes('"acknowledged"')) waiting.push(() => connection.send(text));
      else connection.send(text);
    };
    const session = connectRunner({ ...connection, send }, caller);
    return {
      ...session,
      onFrame(frame) {
        if (frame.type === 'events') heard.bytes += JSON.stringify(frame).length;
        session.onFrame(frame);
      },
    };
  };
  const release = (): void => {
    isHeld = false;
    for (const say of waiting.splice(0)) say();
  };
  return { heard, connect, release };
}

it('a runner that prints faster than it is written waits: little of it is in memory, and nothing is lost', async () => {
  const { operations } = await engineOver(() => ({}));
  const { heard, connect, release } = holding(operations.connectRunner);
  const doors = openDoors(['automn'], {
    ...{ gate: OPEN_GATE, clock: systemClock, log: silentLog },
    operations: { ...operations, connectRunner: connect },
  });
  const runner = await startScriptedRunner();
  onTestFinished(() => runner.close());
  const request = Object.assign(new PassThrough(), {
    ...{ method: 'POST', url: '/api/settings/runner-hosts/one/register', complete: true },
    headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    socket: { remoteAddress: '127.0.0.1' },
  });
  request.end(
    JSON.stringify({ secret: 'a-secret-of-anybody', endpoint: runner.endpoint, version: '0.2.16' }),
  );
  expect(await doors?.answer(request as unknown as IncomingMessage)).toMatchObject({ status: 200 });
  const { job } = await operations.submitJob(
    JobSubmission.parse({
      type: 'script.run',
      payload: { type: 'script.run', data: { language: 'node', code: '1' } },
    }),
  );
  const posted = await runner.next();
  for (let count = 0; count < LINES; count += 1) posted.line({ type: 'log', line: LINE });
  posted.result({ stdout: 'done' });
  while (heard.bytes < 4 * MEGABYTE) await turn();
  // Turns enough for all of it to be read, were it read.
  for (let count = 0; count < 1_000; count += 1) await turn();
  expect(heard.bytes).toBeLessThan(6 * MEGABYTE);
  release();
  await expect
    .poll(async () => (await operations.showJob(job.id)).status, { timeout: 60_000 })
    .toBe('completed');
  expect(heard.bytes).toBeGreaterThan(LINES * LINE.length);
}, 90_000);
