import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { ContainerNetwork } from '../target/target.js';
import type { ContainerEngine } from './container-engine.js';
import { residentBytesOf } from './process-group.js';
import { endOrGrace, watchChild, type RunnerProcess, type StopSignal } from './runner-process.js';

/**
 * Waits for a word. None comes when the kit is gone, however it ended: then the engine's client is killed, and in any
 * case the container is removed.
 */
const GUARD = 'read -r word; [ -n "$word" ] || kill -KILL "-$2"; exec "$0" rm --force "$1"';

/** What an engine's client reads from its own environment: such a variable cannot reach the container through it. */
const ENGINE_VARIABLES = /^(PATH|HOME|TMPDIR|USER|LD_.*|XDG_.*|DOCKER_.*|CONTAINERS?_.*|DBUS_.*|.*_proxy)$/i;

export interface RunnerContainerOptions {
  readonly engine: ContainerEngine;
  readonly image: string;
  readonly network: ContainerNetwork;
  /** Where the runner listens; published at 127.0.0.1 when the container has a network of its own. */
  readonly port: number;
  /** What the runner gets, and nothing else of this machine. */
  readonly variables: Readonly<Record<string, string>>;
  /** The environment of the engine's client. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The name by which a container with a network of its own reaches this machine. */
export const hostNameIn = ({ program }: ContainerEngine): string =>
  program === 'podman' ? 'host.containers.internal' : 'host.docker.internal';

function networkFlags({ engine, network, port }: RunnerContainerOptions): readonly string[] {
  if (network === 'host') return ['--network', 'host'];
  const published = ['--publish', `127.0.0.1:${port}:${port}`];
  return engine.program === 'docker'
    ? [...published, '--add-host', 'host.docker.internal:host-gateway']
    : published;
}

/** Variables by name alone: their values do not show in the list of processes. */
function variableFlags(variables: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(variables).flatMap(([name, value]) => [
    '--env',
    ENGINE_VARIABLES.test(name) ? `${name}=${value}` : name,
  ]);
}

function clientEnvironment({ variables, environment }: RunnerContainerOptions) {
  const own = Object.entries(variables).filter(([name]) => !ENGINE_VARIABLES.test(name));
  return { ...environment, ...Object.fromEntries(own) };
}

function startGuard(
  { engine, environment }: RunnerContainerOptions,
  name: string,
  client: number,
): ChildProcessByStdio<Writable, null, null> {
  const guard = spawn('/bin/sh', ['-c', GUARD, engine.program, name, String(client)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: environment,
  });
  // The word may come when it has gone already.
  guard.stdin.on('error', () => {});
  return guard;
}

/** Memory of a container's processes, where they are processes of this machine and no number of another one's. */
async function residentBytesIn(engine: ContainerEngine, name: string): Promise<number | undefined> {
  const { out } = await engine.call(['inspect', '--format', '{{.State.Pid}} {{.Id}}', name]);
  const [pid = '', id = ''] = out.split(' ');
  try {
    return id !== '' && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id)
      ? residentBytesOf(Number(pid))
      : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a container that is gone when the kit is, however that ends. Its output is the runner's and the engine's. */
export function startRunnerContainer(options: RunnerContainerOptions): RunnerProcess {
  const { engine, image } = options;
  const name = `contract-test-${randomUUID()}`;
  const flags = [
    '--rm',
    '--pull',
    'never',
    '--stop-timeout',
    '0',
    '--label',
    'contract-test',
    '--name',
    name,
  ];
  const child = spawn(
    engine.program,
    ['run', ...flags, ...networkFlags(options), ...variableFlags(options.variables), image],
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: clientEnvironment(options) },
  );
  const watched = watchChild(child);
  const guard = startGuard(options, name, child.pid ?? 0);
  const guardGone = new Promise<void>((resolve) => {
    guard.once('exit', () => resolve()).once('error', () => resolve());
  });
  let signals = Promise.resolve();
  const signal = (which: StopSignal): void => {
    signals = signals.then(async () => {
      if (watched.end()) return;
      const { code, words } = await engine.call(['kill', '--signal', which, name]);
      if (code !== 0 && !watched.end()) watched.note(`${engine.program} kill: ${words}\n`);
    });
  };
  const stop = async (): Promise<void> => {
    if (!watched.end()) {
      signal('SIGTERM');
      await endOrGrace(watched);
    }
    // Of one that has ended, the engine has removed the container already: that is only made sure of.
    const hasEnded = watched.end() !== undefined;
    guard.stdin.end(hasEnded ? 'ended\n' : '');
    if (!hasEnded) await guardGone;
    await Promise.all([watched.ended, signals]);
    watched.release();
  };
  const { ended, end, output } = watched;
  return {
    ...{ ended, end, output, signal, stop },
    // What a container has started ends with it.
    isAlive: () => end() === undefined,
    residentBytes: () => residentBytesIn(engine, name),
  };
}
