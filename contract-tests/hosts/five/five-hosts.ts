import { createJobForge, type JobForge, type JobHandle } from '@controlplane/jobforge';
import { automn } from '@controlplane/runner-sdk/automn';
import { controlPlane, type Host } from '@controlplane/runner-sdk/host';
import { quarterback } from '@controlplane/runner-sdk/quarterback';
import { swamp } from '@controlplane/runner-sdk/swamp';
import { swarmlet } from '@controlplane/runner-sdk/swarmlet';
import { onTestFinished } from 'vitest';
import { join } from 'node:path';
import { startHost as startAutomn } from '../automn/served.js';
import { startHost as startQuarterback, HASTE } from '../quarterback/served.js';
import { temporaryFolder } from '../served-runner.js';
import { startHost as startSwamp } from '../swamp/served.js';
import { startHost as startSwarmlet } from '../swarmlet/served.js';

/** How a control plane says that a command ended. */
export interface Ended {
  /** In its own words. */
  readonly words: string;
  /** Standard output and standard error. */
  readonly printed: string;
}

/** A command that was given to a control plane. */
export interface Given {
  /** Resolves when the control plane shows such a text while the command runs. */
  shows(text: string): Promise<unknown>;
  /** Resolves when somebody has said there that it is to stop. */
  cancel(): Promise<unknown>;
  ended(): Promise<Ended>;
}

/** A control plane, whatever it speaks. */
export interface AnyHost {
  readonly name: string;
  /** What a runner is given to work for it. */
  readonly host: Host;
  /** What a ready-made runner is told to do so. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when a runner works for it. */
  connected(): Promise<unknown>;
  give(command: string, timeoutSeconds?: number): Promise<Given>;
}

const said = (...words: ReadonlyArray<string | number | undefined>): string =>
  words.filter((word) => word !== undefined && word !== '').join(' ');

/** What a command prints, as JobForge tells it while it runs and afterwards. */
async function* printedIn(job: JobHandle): AsyncGenerator<string> {
  for await (const event of job.events()) {
    const log = Object(event.data) as Readonly<Record<string, unknown>>;
    if (event.type === 'job.log' && log['stream'] !== undefined) yield String(log['message']);
  }
}

async function forgeJob(forge: JobForge, command: string, timeoutSeconds?: number): Promise<Given> {
  const job = await forge.submit({
    capability: 'shell.full',
    input: { command },
    retryPolicy: { maxRetries: 0 },
    ...(timeoutSeconds === undefined ? {} : { timeoutMs: timeoutSeconds * 1_000 }),
  });
  return {
    async shows(text) {
      for await (const printed of printedIn(job)) if (printed.includes(text)) return;
      throw new Error(`the job ended without ${text}`);
    },
    cancel: () => job.cancel(),
    async ended() {
      const { error } = await job.result();
      let printed = '';
      for await (const piece of printedIn(job)) printed += piece;
      const { status } = await job.show();
      return { words: said(status, error?.code), printed };
    },
  };
}

async function jobForge(): Promise<AnyHost> {
  const forge = await createJobForge({ store: 'memory', listen: { port: 0 } }).start();
  onTestFinished(async () => {
    await forge.stop({ drainMs: 1 });
  });
  const url = String(forge.url);
  return {
    name: 'jobforge',
    host: controlPlane({ url, delivery: 'websocket' }),
    env: { JOBFORGE_URL: url, RUNNER_DELIVERY: 'websocket' },
    connected: () => Promise.resolve(),
    give: (command, timeoutSeconds) => forgeJob(forge, command, timeoutSeconds),
  };
}

async function swarmletHost(): Promise<AnyHost> {
  const plane = await startSwarmlet();
  return {
    name: 'swarmlet',
    host: swarmlet({ url: plane.url, runnerId: 7, secret: 'seven-secret' }),
    env: { SWARMLET_URL: plane.url, RUNNER_ID: '7', RUNNER_SECRET: 'seven-secret' },
    connected: () => plane.connections.first(() => true),
    give(command, timeoutSecs = 0) {
      const job = plane.exec(command, { timeoutSecs });
      return Promise.resolve({
        async shows(text) {
          await plane.frames.first(
            (frame) => frame.type === 'exec_chunk' && frame.job_id === job.id && frame.data.includes(text),
          );
        },
        cancel: () => Promise.resolve(plane.cancel(job)),
        async ended() {
          const { status, exitCode, error, stdout, stderr } = await plane.ended(job);
          return { words: said(status, exitCode, error), printed: `${stdout}${stderr}` };
        },
      });
    },
  };
}

async function swampHost(): Promise<AnyHost> {
  const plane = await startSwamp();
  return {
    name: 'swamp',
    host: swamp({ url: plane.url, token: 'fleet.s3cret' }),
    env: { SWAMP_ORCHESTRATOR_URL: plane.url, SWAMP_WORKER_TOKEN: 'fleet.s3cret' },
    connected: () => plane.enrollments.first(() => true),
    give(command, timeoutSeconds) {
      const timeout = timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds * 1_000 };
      const dispatch = plane.dispatch(command, { args: timeout });
      return Promise.resolve({
        shows: (text) =>
          plane.frames.first(
            (frame) =>
              frame.type === 'rpc.stream' &&
              frame.id === dispatch.id &&
              JSON.stringify(frame.event).includes(text),
          ),
        cancel: () => Promise.resolve(plane.cancel(dispatch)),
        async ended() {
          const { result, error, lines } = await plane.ended(dispatch);
          const printed = lines.map((line) => `${line.replace(/^std(out|err): /, '')}\n`).join('');
          return { words: said(result?.status, result?.error, error?.code), printed };
        },
      });
    },
  };
}

async function quarterbackHost(): Promise<AnyHost> {
  const plane = await startQuarterback();
  return {
    name: 'quarterback',
    host: quarterback({ url: plane.url, ...HASTE }),
    env: { QUARTERBACK_URL: plane.url, REGISTRATION_TOKEN: 'let-me-in', POLL_INTERVAL: '1' },
    connected: () => plane.calls.first(({ path }) => path === '/tasks/pending'),
    give(command, timeoutSeconds) {
      const task = plane.task(command, timeoutSeconds === undefined ? {} : { timeoutSeconds });
      return Promise.resolve({
        shows: (text) => plane.said(task, text),
        cancel: () => Promise.resolve(plane.cancel(task)),
        async ended() {
          // The end of a task that is called cancelled is its log.
          await (task.status === 'cancelled'
            ? plane.calls.first(
                ({ path, body }) =>
                  path === '/logs' && Reflect.get(Object(body) as object, 'task_id') === task.id,
              )
            : plane.ended(task));
          const words = said(task.status, task.status === 'error' ? task.messages.at(-1) : undefined);
          return { words, printed: `${plane.printed(task)}${plane.printed(task, 'tool')}` };
        },
      });
    },
  };
}

const OVER = 'Timeout exceeded.';

async function automnHost(): Promise<AnyHost> {
  const plane = await startAutomn();
  const folder = temporaryFolder();
  const secret = 'default-secret';
  return {
    name: 'automn',
    host: automn({
      hostUrl: plane.url,
      runnerId: 'default',
      secret,
      host: '127.0.0.1',
      port: 0,
      stateFile: join(folder, 'state.json'),
    }),
    env: {
      AUTOMN_HOST_URL: plane.url,
      AUTOMN_RUNNER_ID: 'default',
      AUTOMN_RUNNER_SECRET: secret,
      AUTOMN_RUNNER_PORT: '0',
      AUTOMN_RUNNER_STATE_DIR: folder,
    },
    connected: () => plane.registrations.first(() => true),
    give(command, timeout = 0) {
      const job = plane.run(command, { timeout });
      return Promise.resolve({
        shows: (text) => plane.logged(job, text),
        // It can but hang up.
        cancel: () => Promise.resolve(job.hangUp()),
        async ended() {
          const { status, result, error, log } = await plane.ended(job);
          // It is told of a time limit by a line alone.
          const over = log.includes(OVER) ? OVER : undefined;
          const words = said(status, result && `code ${result.code}`, over, error);
          return { words, printed: log.replace(OVER, '') };
        },
      });
    },
  };
}

/** A control plane of each kind; they are gone when the test is over. */
export const startFiveHosts = (): Promise<AnyHost[]> =>
  Promise.all([jobForge(), swarmletHost(), automnHost(), swampHost(), quarterbackHost()]);
