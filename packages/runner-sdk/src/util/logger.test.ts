import { expect, test } from 'vitest';
import { createJsonLogger } from './logger.js';

const collect = (level: 'debug' | 'info' | 'silent') => {
  const lines: Array<Record<string, unknown>> = [];
  const logger = createJsonLogger({
    level,
    name: 'images',
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { lines, logger };
};

test('writes one JSON object a line', () => {
  const { lines, logger } = collect('info');
  logger.info({ port: 1 }, 'started');
  logger.warn('only words');
  expect(lines).toEqual([
    { level: 'info', time: expect.any(String), name: 'images', msg: 'started', port: 1 },
    { level: 'warn', time: expect.any(String), name: 'images', msg: 'only words' },
  ]);
});

test('leaves out what is below its level', () => {
  const { lines, logger } = collect('info');
  logger.debug('quiet');
  expect(lines).toEqual([]);
  const silent = collect('silent');
  silent.logger.error('nobody hears');
  expect(silent.lines).toEqual([]);
});

test('writes errors with their stack, and never throws', () => {
  const { lines, logger } = collect('debug');
  logger.error({ err: new TypeError('bad') }, 'failed');
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  logger.info(cycle, 'cycle');
  expect(lines[0]).toMatchObject({
    err: { name: 'TypeError', message: 'bad', stack: expect.stringContaining('TypeError') },
  });
  expect(lines[1]).toMatchObject({ msg: 'cycle', unreadable: true });
});
