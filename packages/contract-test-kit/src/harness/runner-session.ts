import type { DeliveryKind } from '../target/delivery.js';
import type { CommandTarget, RunnerTarget, UrlTarget } from '../target/target.js';
import { ENVIRONMENT_CANARY } from './canaries.js';
import { NoAnswer, send, type Exchange } from './exchange.js';
import {
  startRecordingControlPlane,
  type ControlPlaneScript,
  type RecordingControlPlane,
} from './recording-control-plane.js';
import type { RunnerUrls } from './runner-client.js';
import type { RecordedMessage } from './recorded-message.js';
import {
  describeRunner,
  urlsOfRegistration,
  urlsOfRoot,
  type RunnerDescription,
} from './runner-description.js';
import { freePort, startRunnerProcess, type RunnerProcess } from './runner-process.js';

/** How long a runner that answers may take to register. */
const REGISTRATION_WAIT_MS = 3_000;
const POLL_MS = 20;

/** The target cannot be judged at all: it did not start, or nothing answers. */
export class TargetUnreachable extends Error {
  override readonly name = 'TargetUnreachable';
}

/** One life of the runner, and the control plane that it was given. */
export interface RunnerSession {
  readonly urls: RunnerUrls;
  readonly description: RunnerDescription;
  /** What it registered with; push where it was not seen to register. */
  readonly delivery: DeliveryKind;
  readonly controlPlane: RecordingControlPlane | undefined;
  readonly process: RunnerProcess | undefined;
  /** The port that a runner which the kit has started was given. */
  readonly port?: number | undefined;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly target: RunnerTarget;
  /** The environment that a started runner inherits; the kit's own variables come on top. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly script?: ControlPlaneScript | undefined;
  /** Told to the runner as RUNNER_DELIVERY. Default: what the runner does by itself. */
  readonly delivery?: DeliveryKind | undefined;
  /** Added to the environment of a started runner. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds until the runner must answer. */
  readonly startTimeoutMs: number;
  /** Whether to wait for a registration that was accepted. Default: true. */
  readonly awaitRegistration?: boolean | undefined;
  /** A runner that ends before it answers is no fault. Default: false. */
  readonly mayEnd?: boolean | undefined;
  /** An earlier life that has ended: the runner is started again with its port and its control plane. */
  readonly after?: RunnerSession | undefined;
}

async function tryGet(url: string, timeoutMs: number): Promise<Exchange | undefined> {
  try {
    return await send(
      { method: 'GET', url, headers: { accept: 'application/json' } },
      { signal: AbortSignal.timeout(timeoutMs) },
    );
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Reads the manifest and puts what is known of the runner together. */
async function finishSession(parts: Omit<RunnerSession, 'description' | 'delivery'>): Promise<RunnerSession> {
  const delivery = parts.controlPlane?.dialIn.kind() ?? 'push';
  // What it serves over HTTP beside its link is not what is judged.
  const manifest =
    delivery === 'push' ? await tryGet(new URL('manifest', parts.urls.root).href, 3_000) : undefined;
  const registration = parts.controlPlane?.of('register').at(-1);
  return { ...parts, delivery, description: describeRunner(manifest, registration) };
}

function environmentFor(
  options: SessionOptions,
  port: number,
  controlPlaneUrl: string,
): Record<string, string | undefined> {
  return {
    ...options.environment,
    JOBFORGE_URL: controlPlaneUrl,
    HOST: '127.0.0.1',
    PORT: String(port),
    RUNNER_NAME: 'runner-under-test',
    RUNNER_ID: 'runner-under-test',
    CONTRACT_VERSION: '1.0.0',
    CONFORMANCE_CANARY_SECRET: ENVIRONMENT_CANARY,
    ...(options.delivery === undefined ? {} : { RUNNER_DELIVERY: options.delivery }),
    ...(options.target.kind === 'command' ? options.target.env : {}),
    ...options.env,
  };
}

function startFailure(runner: RunnerProcess, command: string, why: string): TargetUnreachable {
  const output = runner.output().trim();
  const tail = output === '' ? 'It wrote nothing.' : `It wrote:\n${output.split('\n').slice(-15).join('\n')}`;
  return new TargetUnreachable(`${JSON.stringify(command)} ${why}. ${tail}`);
}

/** Whether the runner has dialled in: registered, or at least heard of where no registration is waited for. */
function hasDialledIn(plane: RecordingControlPlane, options: SessionOptions): boolean {
  if (plane.dialIn.isUp()) return true;
  const { delivery = 'push', awaitRegistration = true } = options;
  return delivery !== 'push' && !awaitRegistration && plane.messages.length > 0;
}

/** Where the runner answers: at what it registered, or at what it was given. */
async function answeringUrls(
  plane: RecordingControlPlane,
  given: RunnerUrls,
): Promise<RunnerUrls | undefined> {
  const named = urlsOfRegistration(plane.of('register').at(-1)?.json);
  for (const urls of named && named.health !== given.health ? [named, given] : [given]) {
    if (await tryGet(urls.health, 1_000)) return urls;
  }
  return undefined;
}

/** Waits until the runner answers somewhere: where it registered, or at the port it was given; or dials in. */
async function awaitUrls(
  runner: RunnerProcess,
  plane: RecordingControlPlane,
  options: SessionOptions & { target: CommandTarget; port: number },
): Promise<RunnerUrls> {
  const { target, port, startTimeoutMs, mayEnd = false } = options;
  const given = urlsOfRoot(`http://127.0.0.1:${port}/`);
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const end = runner.end();
    if (end && mayEnd) return given;
    if (end) {
      const how = end.signal ?? `code ${end.code}`;
      throw startFailure(runner, target.command, `ended (${how}) before it answered`);
    }
    const found = hasDialledIn(plane, options) ? given : await answeringUrls(plane, given);
    if (found) return found;
    await delay(POLL_MS);
  }
  throw startFailure(
    runner,
    target.command,
    `did not answer at http://127.0.0.1:${port}/health within ${startTimeoutMs} ms, nor register another address, nor dial in`,
  );
}

/** Starts that are tried when another process takes the port between its choice and its use. */
const PORT_TRIES = 3;

interface Started {
  readonly runner: RunnerProcess;
  readonly port: number;
  readonly urls: RunnerUrls;
}

async function startAt(
  target: CommandTarget,
  controlPlane: RecordingControlPlane,
  options: SessionOptions,
): Promise<Started> {
  for (let tries = 1; ; tries += 1) {
    const port = options.after?.port ?? (await freePort());
    const env = environmentFor(options, port, controlPlane.url);
    const runner = startRunnerProcess({ command: target.command, cwd: target.cwd, env });
    try {
      return { runner, port, urls: await awaitUrls(runner, controlPlane, { ...options, target, port }) };
    } catch (error) {
      await runner.stop();
      const isPortTaken = /EADDRINUSE|address already in use/i.test(runner.output());
      if (!isPortTaken || tries === PORT_TRIES) throw error;
    }
  }
}

async function startCommand(target: CommandTarget, options: SessionOptions): Promise<RunnerSession> {
  const former = options.after?.controlPlane;
  const controlPlane = former ?? (await startRecordingControlPlane({ script: options.script }));
  const closePlane = (): Promise<void> | undefined => (former ? undefined : controlPlane.close());
  const before = controlPlane.of('register').length;
  const started = await startAt(target, controlPlane, options).catch(async (error: unknown) => {
    await closePlane();
    throw error;
  });
  const { runner, port } = started;
  const close = async (): Promise<void> => {
    await runner.stop();
    await closePlane();
  };
  try {
    if (options.awaitRegistration !== false) {
      const isOwn = ({ kind, index }: RecordedMessage): boolean => kind === 'register' && index >= before;
      await controlPlane.waitFor(isOwn, { timeoutMs: REGISTRATION_WAIT_MS });
    }
    const named = urlsOfRegistration(controlPlane.of('register').at(-1)?.json);
    const urls = named && (await tryGet(named.health, 2_000)) ? named : started.urls;
    return await finishSession({ urls, controlPlane, process: runner, port, close });
  } catch (error) {
    await close();
    throw error;
  }
}

async function joinUrl(target: UrlTarget, options: SessionOptions): Promise<RunnerSession> {
  const urls = urlsOfRoot(target.url);
  if (!(await tryGet(urls.health, options.startTimeoutMs))) {
    throw new TargetUnreachable(
      `Nothing answers at ${urls.health}. Is the runner started, and is --url its root (the health endpoint without "health")?`,
    );
  }
  if (target.controlPlanePort === undefined) {
    return finishSession({ urls, controlPlane: undefined, process: undefined, close: async () => {} });
  }
  const controlPlane = await startRecordingControlPlane({
    port: target.controlPlanePort,
    script: options.script,
  });
  const arrived = await controlPlane.waitFor(({ kind }) => kind === 'register', {
    timeoutMs: options.startTimeoutMs,
  });
  if (!arrived) {
    await controlPlane.close();
    throw new TargetUnreachable(
      `No runner registered at ${controlPlane.url} within ${options.startTimeoutMs} ms. Start it with JOBFORGE_URL=${controlPlane.url}, or leave --control-plane-port out.`,
    );
  }
  return finishSession({ urls, controlPlane, process: undefined, close: () => controlPlane.close() });
}

/**
 * Starts the runner, or joins one that runs, and reads what it can do.
 * @throws TargetUnreachable when it does not start or does not answer
 */
export function openSession(options: SessionOptions): Promise<RunnerSession> {
  return options.target.kind === 'command'
    ? startCommand(options.target, options)
    : joinUrl(options.target, options);
}
