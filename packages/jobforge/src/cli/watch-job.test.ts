import { afterEach, describe, expect, it } from 'vitest';
import { closeApis } from '../api/api-server.fixture.js';
import { apiWithRunner } from './api-with-runner.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { FollowLine } from './json-output.js';

afterEach(closeApis);

describe('a command that watches a job', () => {
  it.each([
    ['--follow', 'job f  queued'],
    ['--wait', 'job f  queued'],
  ])(
    'stopped while it watches with %s, says that the job goes on and how to watch it again',
    async (flag, first) => {
      const { url } = await apiWithRunner();
      let interrupt = (): void => undefined;
      const out: string[] = [];
      const err: string[] = [];
      const run = await runJobforge(url, ['job', 'submit', 'image.resize', '{}', '--id', 'f', flag], {
        onSignal: (stop) => {
          interrupt = stop;
          return () => undefined;
        },
        terminal: {
          out: (line) => {
            out.push(line);
            if (line.startsWith(first)) setImmediate(() => interrupt());
          },
          err: (line) => err.push(line),
          columns: undefined,
          colour: false,
        },
      });
      expect(run.code).toBe(130);
      expect(out).toHaveLength(1);
      expect(err).toEqual(['job f goes on: `jobforge job logs f --follow` watches it again']);
    },
  );

  it('stopped while it watches as JSON, says so on the last line', async () => {
    const { url } = await apiWithRunner();
    const out: string[] = [];
    let interrupt = (): void => undefined;
    const run = await runJobforge(url, ['job', 'submit', 'image.resize', '--id', 'f', '--follow', '--json'], {
      onSignal: (stop) => {
        interrupt = stop;
        return () => undefined;
      },
      terminal: {
        out: (line) => {
          out.push(line);
          if (out.length === 2) setImmediate(() => interrupt());
        },
        err: () => undefined,
        columns: undefined,
        colour: false,
      },
    });
    expect(run.code).toBe(130);
    expect(FollowLine.parse(JSON.parse(out.at(-1) ?? ''))).toEqual({ event: 'interrupted', jobId: 'f' });
  });

  it('shows where a job stands while it waits for it, and takes that away at the end', async () => {
    const { url, operations } = await apiWithRunner();
    const shown: (string | undefined)[] = [];
    const run = await runJobforge(url, ['job', 'submit', 'hello.greet', '{}', '--id', 'f', '--wait'], {
      terminal: {
        ...{ err: () => undefined, columns: undefined, colour: false },
        out: (line) => {
          if (line.startsWith('job f')) operations.happen('f', 'job.queued');
        },
        status(words) {
          shown.push(words);
          if (words === 'waiting for a runner') operations.happen('f', 'job.started');
          if (words === 'running')
            operations.happen('f', 'job.progress', { fraction: 0.42, message: 'half of it\u001B[2J' });
          if (words?.startsWith('running  ')) operations.happen('f', 'job.completed');
        },
      },
    });
    expect(run.code).toBe(0);
    expect(shown).toEqual([
      'waiting for a runner',
      'running',
      'running  42 %  half of it\\u001b[2J',
      undefined,
    ]);
  });
});
