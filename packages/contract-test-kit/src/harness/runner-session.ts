import type { DeliveryKind } from '../target/delivery.js';
import { isStarted, type RunnerTarget, type StartedTarget, type UrlTarget } from '../target/target.js';
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
import type { RunnerProcess } from './runner-process.js';
import { listenHostFor, startRunner, type RunnerStart } from './start-runner.js';
import { TargetUnreachable } from './target-unreachable.js';
import { tryGet } from './try-get.js';

/** How long a runner that answers may take to register. */
const REGISTRATION_WAIT_MS = 3_000;

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

export interface SessionOptions extends RunnerStart {
  readonly target: RunnerTarget;
  readonly script?: ControlPlaneScript | undefined;
  /** An earlier life that has ended: the runner is started again with its port and its control plane. */
  readonly after?: RunnerSession | undefined;
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

async function startSession(target: StartedTarget, options: SessionOptions): Promise<RunnerSession> {
  const former = options.after?.controlPlane;
  const { script } = options;
  const controlPlane = former ?? (await startRecordingControlPlane({ script, host: listenHostFor(target) }));
  const closePlane = (): Promise<void> | undefined => (former ? undefined : controlPlane.close());
  const before = controlPlane.of('register').length;
  const start = { ...options, port: options.after?.port };
  const started = await startRunner(target, controlPlane, start).catch(async (error: unknown) => {
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
  return isStarted(options.target) ? startSession(options.target, options) : joinUrl(options.target, options);
}
