import type { QuarterbackStatusUpdate } from '@controlplane/contracts/quarterback';
import { expect, test } from 'vitest';
import type { Clock } from '../../util/clock.js';
import type { Answer } from '../refusals.js';
import { createReports } from './reports.js';

const TAKEN: Answer<{ readonly isCancelled: boolean }> = { ok: true, value: { isCancelled: false } };
const GONE = { ok: false, code: 'UNREACHABLE', message: 'gone', retryAfterMs: undefined } as const;

/** Time passes at once. */
const clock: Clock = {
  now: () => 0,
  elapsed: () => 0,
  setTimeout: (callback) => setImmediate(callback),
  clearTimeout: (handle) => clearImmediate(handle as NodeJS.Immediate),
};
const silent = (): void => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };

function start(answers: Array<typeof TAKEN | typeof GONE>) {
  const sent: string[] = [];
  const told: string[] = [];
  const reports = createReports({
    runner: { clock, logger, random: () => 0 },
    sendStatus({ message }) {
      sent.push(String(message));
      return Promise.resolve(answers.shift() ?? TAKEN);
    },
    sendLogs() {
      sent.push('the log');
      return Promise.resolve(TAKEN);
    },
    onCancelled: silent,
    onTold: (taskId) => told.push(taskId),
    leaving: new AbortController().signal,
  });
  const update = (message: string): QuarterbackStatusUpdate => ({ task_id: 't', status: 'running', message });
  return { reports, sent, told, update };
}

test('what is said while a report is under way is said once more after it, and none of it is lost', async () => {
  const { reports, sent, update } = start([GONE]);
  const printed = ['one', 'two', 'three'];
  const make = (): QuarterbackStatusUpdate => update(printed.splice(0).join(' '));
  reports.say('t', make);
  printed.push('four');
  reports.say('t', make);
  printed.push('five');
  reports.say('t', make);
  await expect.poll(() => sent).toEqual(['one two three', 'one two three', 'four five']);
});

test('an end is told after the log, as often as it takes, and what went before is not said any more', async () => {
  const { reports, sent, told, update } = start([GONE, GONE, GONE]);
  reports.say('t', () => update('running'));
  reports.end('t', { logs: { task_id: 't', session: {} }, final: update('over') });
  expect(reports.untold()).toBe(1);
  await reports.whenTold();
  expect(sent).toEqual(['running', 'the log', 'over', 'over', 'over']);
  expect(told).toEqual(['t']);
});
