import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { startDialInControlPlane } from './dial-in-control-plane.suite.js';
import { dialIn, isEnd } from './dial-in-runner.suite.js';

/** Says more at once than a control plane reads at once, and returns nearly as much as it may. */
const flood = defineCapability({
  id: 'flood',
  version: '1.0.0',
  description: 'Says a lot in one turn of the event loop.',
  input: z.object({}),
  execute(_input, { log }) {
    for (let index = 0; index < 10_000; index++) log.info(`${index} ${'x'.repeat(20)}`);
    return 'y'.repeat(3_900_000);
  },
});

type Plane = Awaited<ReturnType<typeof startDialInControlPlane>>;

const startFlooding = (plane: Plane, delivery: 'websocket' | 'long-poll') =>
  dialIn(plane, { delivery, capabilities: [flood], maxLogBytes: 64 * 1024 * 1024 });

/** What was said of the execution, piece by piece. */
const piecesAt = (plane: Plane) =>
  plane.said.flatMap(({ frame }) => (frame?.type === 'events' ? frame.executions : []));

function expectReadable(pieces: ReturnType<typeof piecesAt>): void {
  expect(Math.max(...pieces.map(({ events }) => events.length))).toBeLessThanOrEqual(1_000);
  expect(Math.max(...pieces.map((piece) => JSON.stringify(piece).length))).toBeLessThan(4 * 1024 * 1024);
}

test.each(['websocket', 'long-poll'] as const)(
  'ten thousand events and a large result are told in pieces that can be read, in order (%s)',
  async (delivery) => {
    const plane = await startDialInControlPlane();
    await (await startFlooding(plane, delivery)).ready();
    const ended = plane.next('events', isEnd);
    plane.offer('e1', 'flood');
    await ended;
    const pieces = piecesAt(plane);
    expectReadable(pieces);
    const events = pieces.flatMap((piece) => piece.events);
    expect(events.at(-1)).toMatchObject({ type: 'succeeded' });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
    expect(plane.count('register')).toBe(1);
  },
);

test('so are those that waited for another connection', async () => {
  const plane = await startDialInControlPlane();
  await (await startFlooding(plane, 'websocket')).ready();
  plane.acknowledges = false;
  const said = plane.next('events', isEnd);
  plane.offer('e1', 'flood');
  await said;
  plane.said.length = 0;
  plane.acknowledges = true;
  const ended = plane.next('events', isEnd);
  plane.cut();
  await ended;
  const pieces = piecesAt(plane);
  expectReadable(pieces);
  expect(pieces[0]?.events[0]).toMatchObject({ seq: 1 });
});
