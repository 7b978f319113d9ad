/**
 * @module
 * Containers as a capability: the engine, what a job may ask of it, the files that go in and come out, and the end of a
 * container. Imports the process room, the SDK's public entry and zod.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RunnerError } from '@controlplane/runner-sdk';
import { childEnvironment } from '../process/child-environment.js';
import { findProgram } from '../process/find-program.js';

/** A program that runs containers. */
export interface Engine {
  readonly kind: 'podman' | 'docker';
  /** Absolute path of the command. */
  readonly path: string;
  readonly version: string;
  /** Kind → version, for the labels of the runner: jobs are then placed by them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A machine that does much else takes its time to start one. */
const PROBE_MS = 60_000;
const run = promisify(execFile);

/** What the commands of the engines read: their configuration, their socket, their proxies. */
const ENGINE_VARIABLES = [
  ...[
    'XDG_RUNTIME_DIR',
    'XDG_CONFIG_HOME',
    'XDG_DATA_HOME',
    'DBUS_SESSION_BUS_ADDRESS',
    'REGISTRY_AUTH_FILE',
  ],
  ...[
    'CONTAINERS_CONF',
    'CONTAINERS_STORAGE_CONF',
    'CONTAINERS_REGISTRIES_CONF',
    'CONTAINER_HOST',
    'CONTAINER_SSHKEY',
  ],
  ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
];

/** The environment of an engine's command; nothing of it reaches a container by itself. */
export const engineEnvironment = (): Record<string, string> => childEnvironment(ENGINE_VARIABLES, {});

/** The version of the server, where there is one: a command alone runs nothing. */
const VERSION_FORMAT = { podman: '{{.Client.Version}}', docker: '{{.Server.Version}}' } as const;

async function probe(kind: Engine['kind'], path: string): Promise<Engine | string> {
  try {
    const args = ['version', '--format', VERSION_FORMAT[kind]];
    const { stdout } = await run(path, args, {
      timeout: PROBE_MS,
      killSignal: 'SIGKILL',
      env: engineEnvironment(),
    });
    const version = stdout.trim();
    return { kind, path, version, labels: { [kind]: version } };
  } catch (error) {
    const { stderr, message, killed } = error as Error & {
      readonly stderr?: string;
      readonly killed?: boolean;
    };
    if (killed) return `did not answer within ${PROBE_MS / 1_000} s`;
    return (stderr?.trim() || message).split('\n')[0] ?? '';
  }
}

/**
 * Finds an engine that answers: podman, else docker.
 * @param only - take this one
 * @throws RunnerError `INVALID_OPTION` when there is none, with what each said
 */
export async function findEngine(only?: Engine['kind']): Promise<Engine> {
  const said: string[] = [];
  for (const kind of only === undefined ? (['podman', 'docker'] as const) : [only]) {
    const path = await findProgram(kind, { path: engineEnvironment()['PATH'] ?? '', cwd: '/' });
    const found = path === undefined ? 'is not installed' : await probe(kind, path);
    if (typeof found !== 'string') return found;
    said.push(`${kind}: ${found}`);
  }
  throw new RunnerError(
    'INVALID_OPTION',
    `this machine has no engine for containers that answers (${said.join('; ')})`,
  );
}
