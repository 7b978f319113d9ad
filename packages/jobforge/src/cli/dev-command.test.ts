import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ForgeOptions } from './cli-context.js';
import { runJobforge, type CliRun } from './cli-run.fixture.js';
import { ServingLine, ErrorOutput } from './json-output.js';

interface DevRun extends CliRun {
  readonly started: readonly ForgeOptions[];
  readonly stops: number;
}

/** Runs `jobforge dev` and sends it the first signal as soon as it is ready. */
async function dev(
  argv: readonly string[],
  { failure, running = 0, handedBack = 0 }: { failure?: Error; running?: number; handedBack?: number } = {},
): Promise<DevRun> {
  const started: ForgeOptions[] = [];
  let stops = 0;
  const run = await runJobforge('', ['dev', ...argv], {
    startForge: async (options) => {
      started.push(options);
      options.log('info', 'store opened');
      if (failure) throw failure;
      return {
        url: `http://127.0.0.1:${options.port || 4711}`,
        running: () => running,
        stop: async () => {
          stops++;
          return { handedBack };
        },
      };
    },
    onSignal: (stop) => {
      setImmediate(stop);
      return () => undefined;
    },
  });
  return { ...run, started, stops };
}

const failing = (code: string): Error => Object.assign(new Error(code), { code });

describe('jobforge dev', () => {
  it('serves on loopback with its store in ./data, until a signal stops it', async () => {
    const run = await dev([]);
    expect(run).toMatchObject({ code: 0, err: [], stops: 1 });
    expect(run.started).toEqual([
      expect.objectContaining({
        host: '127.0.0.1',
        port: 3002,
        store: 'sqlite:data/jobforge.db',
        allowedHosts: [],
      }),
    ]);
    expect(run.out.slice(0, 2)).toEqual([
      'JobForge   http://127.0.0.1:3002   (embedded, ./data)',
      `try        npx jobforge job submit <capability> '{…}' --follow`,
    ]);
  });

  it('says with --json that it is ready before it says anything else', async () => {
    const run = await dev(['--json', '--memory', '--port', '0', '--allow-host', 'forge.test']);
    expect(run.started[0]).toMatchObject({ store: 'memory', port: 0, allowedHosts: ['forge.test'] });
    const lines = run.out.map((line) => ServingLine.parse(JSON.parse(line)));
    expect(lines.map(({ event }) => event)).toEqual(['ready', 'log', 'stopping', 'stopped']);
    expect(lines[0]).toEqual({ event: 'ready', url: 'http://127.0.0.1:4711', data: null, version: '0.0.0' });
  });

  it.each([
    [['--memory'], 0, 0, 'stopping: nothing is running', 'stopped'],
    [['--memory'], 1, 0, 'stopping: 1 execution may end; once more stops at once', 'stopped'],
    [
      [],
      3,
      2,
      'stopping: 3 executions may end; once more stops at once',
      'stopped: 2 executions were handed back, the next start takes them up',
    ],
    [
      ['--memory'],
      3,
      1,
      'stopping: 3 executions may end; once more stops at once',
      'stopped: 1 execution was given up with the memory',
    ],
  ])(
    'says what runs when it stops, and what was left (%#)',
    async (...[argv, running, handedBack, stopping, stopped]) => {
      expect((await dev(argv, { running, handedBack })).out.slice(-2)).toEqual([stopping, stopped]);
      const lines = (await dev([...argv, '--json'], { running, handedBack })).out.slice(-2);
      expect(lines.map((line) => ServingLine.parse(JSON.parse(line)))).toEqual([
        { event: 'stopping', running },
        { event: 'stopped', handedBack },
      ]);
    },
  );

  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.com'])(
    'refuses to listen on %s, where others could reach it',
    async (host) => {
      const run = await dev(['--host', host]);
      expect(run).toMatchObject({ code: 2, out: [], started: [] });
      expect(run.err[0]).toContain(`--host ${host}`);
    },
  );

  it('names the port and the flag when the port is taken', async () => {
    const run = await dev(['--port', '3005'], { failure: failing('EADDRINUSE') });
    expect(run.code).toBe(1);
    expect(run.err).toEqual([
      '✗ EADDRINUSE  Port 3005 on 127.0.0.1 is taken: stop what listens there, or choose another with --port.',
    ]);
  });

  it('fails for programs with an envelope', async () => {
    const run = await dev(['--json'], { failure: failing('EADDRINUSE') });
    expect(ErrorOutput.parse(JSON.parse(run.out[0] ?? '')).error.message).toContain('--port');
  });

  it('says what else keeps it from starting, and whether the port would have too', async () => {
    const free = await dev(['--port', '0'], { failure: new Error('jobs.db is in use.') });
    expect(free.err).toEqual(['✗ START_FAILED  jobs.db is in use.']);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = await dev(['--port', String(port)], { failure: new Error('jobs.db is in use.') });
    expect(taken.err[0]).toContain(`jobs.db is in use. Port ${port} on 127.0.0.1 is taken`);
    other.close();
  });
});
