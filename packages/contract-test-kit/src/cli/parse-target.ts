import { existsSync } from 'node:fs';
import type { Target } from '../target/target.js';
import { UsageError } from './exit-codes.js';
import { wholeNumber, type RunFlags } from './parse-flags.js';

type Environment = Readonly<Record<string, string | undefined>>;

function parseCommand(command: string, { cwd, controlPlanePort }: RunFlags): Target {
  if (command.trim() === '') throw new UsageError('--command is empty');
  if (controlPlanePort !== undefined)
    throw new UsageError(
      '--control-plane-port is for --url; with --command the kit gives the runner JOBFORGE_URL itself',
    );
  if (cwd !== undefined && !existsSync(cwd)) throw new UsageError(`--cwd: there is no folder "${cwd}"`);
  return { kind: 'command', command, cwd };
}

function parseUrl(url: string, flags: RunFlags): Target {
  const controlPlanePort = wholeNumber('control-plane-port', flags.controlPlanePort, [1, 65_535]);
  if (flags.delivery !== undefined && flags.delivery !== 'push')
    throw new UsageError(
      '--delivery is for --command and --image: the runner is started with RUNNER_DELIVERY',
    );
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`--url takes an http or https URL, not "${url}"`);
  if (/[?#]/.test(url))
    throw new UsageError(`--url takes the root of the runner, without query and fragment, not "${url}"`);
  return { kind: 'url', url, controlPlanePort };
}

function parseControlPlane(url: string, { token, delivery }: RunFlags): Target {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || /[?#]/.test(url))
    throw new UsageError(`--control-plane takes the http or https URL of its root, not "${url}"`);
  if (delivery !== undefined)
    throw new UsageError('--delivery is about a runner; with --control-plane the kit plays runners of all');
  return { kind: 'control-plane', url, token };
}

/** Variables by NAME=VALUE, or by the NAME alone of one that is set here. */
function parseEnv(texts: readonly string[], environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      const name = at < 0 ? text : text.slice(0, at);
      const value = at < 0 ? environment[name] : text.slice(at + 1);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value === undefined)
        throw new UsageError(
          `--env takes NAME=VALUE, or the NAME of a variable that is set here, not "${name}${at < 0 ? '' : '=…'}"`,
        );
      return [name, value];
    }),
  );
}

function parseImage(image: string, flags: RunFlags, environment: Environment): Target {
  // What begins with a dash would be a flag of the engine.
  if (!/^[\w][\w.:/@-]*$/.test(image))
    throw new UsageError(`--image takes the name of a container image, not "${image}"`);
  if (flags.controlPlanePort !== undefined || flags.cwd !== undefined)
    throw new UsageError(
      '--control-plane-port is for --url and --cwd for --command; a container has its own',
    );
  const { network } = flags;
  if (network !== undefined && network !== 'host' && network !== 'bridge')
    throw new UsageError(`--network takes host or bridge, not "${network}"`);
  return { kind: 'image', image, network, env: parseEnv(flags.env ?? [], environment) };
}

/**
 * Reads what is to be judged.
 * @param environment - where variables come from that `--env` names without a value
 */
export function parseTarget(flags: RunFlags, environment: Environment = {}): Target {
  const { url, command, image, controlPlane } = flags;
  if ([url, command, image, controlPlane].filter((one) => one !== undefined).length > 1)
    throw new UsageError(
      '--url, --command, --image and --control-plane exclude each other: a runner runs already, the kit starts it as a process or as a container, or what is judged is a control plane',
    );
  if (controlPlane !== undefined) return parseControlPlane(controlPlane, flags);
  if (flags.token !== undefined) throw new UsageError('--token is for --control-plane');
  if (image !== undefined) return parseImage(image, flags, environment);
  if (flags.network !== undefined || flags.env !== undefined)
    throw new UsageError('--network and --env are for --image: a command inherits the environment');
  if (command !== undefined) return parseCommand(command, flags);
  if (url !== undefined) return parseUrl(url, flags);
  throw new UsageError(
    'name the runner: --url http://127.0.0.1:3000, --command "python3 runner.py", or --image my-runner',
  );
}
