import { expect, it } from 'vitest';
import type { Execution } from './live-job.js';
import { createPastExecutions } from './past-executions.js';

const execution = (executionId: string, endSeq?: number): Execution =>
  ({ lease: { executionId, token: `token of ${executionId}` }, endSeq }) as Execution;

it('tells an end that is being written from one that is on disk, and calls who waits for it', () => {
  const past = createPastExecutions();
  const ended = execution('a', 7);
  past.close(ended);
  expect(past.find('a')).toEqual({ token: 'token of a', past: { kind: 'settling' } });
  const heard: number[] = [];
  past.whenSettled('a', (seq) => heard.push(seq));
  past.settle(ended);
  past.settle(ended);
  expect(heard).toEqual([7]);
  expect(past.find('a')).toEqual({ token: 'token of a', past: { kind: 'settled', seq: 7 } });
});

it('knows what was taken from its runner, also where an end of it was on its way before', () => {
  const past = createPastExecutions();
  past.close(execution('a'));
  expect(past.find('a')?.past).toEqual({ kind: 'superseded' });
  past.close(execution('b', 3));
  past.close(execution('b'));
  expect(past.find('b')?.past).toEqual({ kind: 'superseded' });
});

it('remembers thousands, and none that is still being written less', () => {
  const past = createPastExecutions();
  past.close(execution('settling', 1));
  for (let index = 0; index < 40_000; index += 1) past.close(execution(`x${index}`));
  expect(past.find('settling')?.past).toEqual({ kind: 'settling' });
  expect(past.find('x39999')?.past).toEqual({ kind: 'superseded' });
  expect(past.find('x30000')?.past).toEqual({ kind: 'superseded' });
  expect(past.find('x0')).toBeUndefined();
});

it('forgets all when it is told to, and answers nobody', () => {
  const past = createPastExecutions();
  const ended = execution('a', 7);
  past.close(ended);
  past.close(execution('b'));
  past.whenSettled('a', () => expect.unreachable());
  past.clear();
  past.settle(ended);
  expect(past.find('a')).toBeUndefined();
  expect(past.find('b')).toBeUndefined();
});
