import { createRedactor } from '../reporters/redact-report.js';
import type { DeliveryKind } from '../target/delivery.js';
import {
  givenVariables,
  type ContainerNetwork,
  type ImageTarget,
  type StartedTarget,
} from '../target/target.js';
import { ENVIRONMENT_CANARY } from './canaries.js';
import { findEngine, type ContainerEngine } from './container-engine.js';
import type { RecordingControlPlane } from './recording-control-plane.js';
import { hostNameIn, startRunnerContainer } from './runner-container.js';
import type { RunnerUrls } from './runner-client.js';
import { urlsOfRegistration, urlsOfRoot } from './runner-description.js';
import { freePort, startRunnerProcess, type RunnerProcess } from './runner-process.js';
import { TargetUnreachable } from './target-unreachable.js';
import { tryGet } from './try-get.js';

const POLL_MS = 20;
/** Starts that are tried when another process takes the port between its choice and its use. */
const PORT_TRIES = 3;

/** How a runner is started. */
export interface RunnerStart {
  /** The environment that a command inherits, and an engine of containers; the kit's own variables come on top. */
  readonly environment: Readonly<Record<string, string | undefined>>;
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
}

/** A runner that answers. */
export interface StartedRunner {
  readonly runner: RunnerProcess;
  readonly port: number;
  readonly urls: RunnerUrls;
}

/** The network that a container gets: the machine's own where containers run on the machine itself. */
const networkOf = ({ network }: ImageTarget): ContainerNetwork =>
  network ?? (process.platform === 'linux' ? 'host' : 'bridge');

/** Where the kit's control plane must listen for this runner to reach it; undefined for 127.0.0.1 alone. */
export function listenHostFor(target: StartedTarget): string | undefined {
  // Elsewhere than on Linux, engines lead what containers send to this machine to its 127.0.0.1.
  const isApart = target.kind === 'image' && networkOf(target) === 'bridge';
  return isApart && process.platform === 'linux' ? '0.0.0.0' : undefined;
}

interface Place {
  readonly port: number;
  readonly planeUrl: string;
}

/** What a runner is told, whatever it is; `bridged` where it has a network of its own. */
function variablesOf(
  target: StartedTarget,
  { port, planeUrl, bridged }: Place & { readonly bridged?: Readonly<Record<string, string>> },
  start: RunnerStart,
) {
  return {
    JOBFORGE_URL: planeUrl,
    HOST: '127.0.0.1',
    PORT: String(port),
    RUNNER_NAME: 'runner-under-test',
    RUNNER_ID: 'runner-under-test',
    CONTRACT_VERSION: '1.0.0',
    CONFORMANCE_CANARY_SECRET: ENVIRONMENT_CANARY,
    ...(start.delivery === undefined ? {} : { RUNNER_DELIVERY: start.delivery }),
    ...bridged,
    ...target.env,
    ...start.env,
  };
}

/** In a network of its own a container listens on all its addresses, and reaches this machine by a name. */
function variablesInBridge(engine: ContainerEngine, { port, planeUrl }: Place): Record<string, string> {
  const plane = new URL(planeUrl);
  plane.hostname = hostNameIn(engine);
  return {
    JOBFORGE_URL: plane.href.replace(/\/$/, ''),
    HOST: '0.0.0.0',
    RUNNER_PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
}

/** The engine that a target was found to be in: it is looked for once. */
const engines = new WeakMap<ImageTarget, Promise<ContainerEngine>>();

function engineOf(target: ImageTarget, { environment }: RunnerStart): Promise<ContainerEngine> {
  const known = engines.get(target) ?? findEngine(target.image, environment);
  engines.set(target, known);
  return known;
}

async function launch(target: StartedTarget, place: Place, start: RunnerStart): Promise<RunnerProcess> {
  const { environment } = start;
  if (target.kind === 'command') {
    const { command, cwd } = target;
    const variables = variablesOf(target, place, start);
    return startRunnerProcess({ command, cwd, env: { ...environment, ...variables } });
  }
  const engine = await engineOf(target, start);
  const network = networkOf(target);
  const bridged = network === 'bridge' ? variablesInBridge(engine, place) : {};
  const { image } = target;
  const { port } = place;
  return startRunnerContainer({
    ...{ engine, image, network, port, environment },
    variables: variablesOf(target, { ...place, bridged }, start),
  });
}

/** A message that leaves the kit before there is a report: what the runner wrote may show what it was given. */
function startFailure(
  runner: RunnerProcess,
  { target, environment, env = {} }: RunnerStart & { readonly target: StartedTarget },
  why: string,
): TargetUnreachable {
  const redact = createRedactor([environment, givenVariables(target), env]);
  const output = runner.output().trim();
  const tail = output === '' ? 'It wrote nothing.' : `It wrote:\n${output.split('\n').slice(-15).join('\n')}`;
  const name = target.kind === 'command' ? target.command : `the image ${target.image}`;
  return new TargetUnreachable(redact(`${JSON.stringify(name)} ${why}. ${tail}`));
}

/** Whether the runner has dialled in: registered, or at least heard of where no registration is waited for. */
function hasDialledIn(plane: RecordingControlPlane, start: RunnerStart): boolean {
  if (plane.dialIn.isUp()) return true;
  const { delivery = 'push', awaitRegistration = true } = start;
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
  start: RunnerStart & { readonly target: StartedTarget; readonly port: number },
): Promise<RunnerUrls> {
  const { port, startTimeoutMs, mayEnd = false } = start;
  const given = urlsOfRoot(`http://127.0.0.1:${port}/`);
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const end = runner.end();
    if (end && mayEnd) return given;
    if (end)
      throw startFailure(runner, start, `ended (${end.signal ?? `code ${end.code}`}) before it answered`);
    const found = hasDialledIn(plane, start) ? given : await answeringUrls(plane, given);
    if (found) return found;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  throw startFailure(
    runner,
    start,
    `did not answer at http://127.0.0.1:${port}/health within ${startTimeoutMs} ms, nor register another address, nor dial in`,
  );
}

/**
 * Starts a runner and waits until it answers.
 * @param start - with `port`, the one that it had before; else it gets a free one
 * @throws TargetUnreachable when it ends before it answers, or its time is up
 */
export async function startRunner(
  target: StartedTarget,
  plane: RecordingControlPlane,
  start: RunnerStart & { readonly port?: number | undefined },
): Promise<StartedRunner> {
  for (let tries = 1; ; tries += 1) {
    const port = start.port ?? (await freePort());
    const runner = await launch(target, { port, planeUrl: plane.url }, start);
    try {
      return { runner, port, urls: await awaitUrls(runner, plane, { ...start, target, port }) };
    } catch (error) {
      await runner.stop();
      const isPortTaken = /EADDRINUSE|address already in use/i.test(runner.output());
      if (!isPortTaken || tries === PORT_TRIES) throw error;
    }
  }
}
