import { container, findEngine, type Engine } from '@controlplane/capabilities/container';
import type { Capability } from '@controlplane/runner-sdk';
import { QUARTERBACK_IMAGE } from '@controlplane/runner-sdk/quarterback';
import type { CommandArguments } from './command-arguments.js';

type Values = CommandArguments['values'];

/** What a container's network is called where the engine is to choose. */
const OWN_NETWORK: Readonly<Record<Engine['kind'], string>> = { podman: 'private', docker: 'bridge' };

/** The one image that containers are made of. */
export const containerImage = (values: Values, env: NodeJS.ProcessEnv): string =>
  values['container-image'] ?? (env['CONTAINER_IMAGE'] || QUARTERBACK_IMAGE);

function engineKindOf({ 'container-runtime': text = 'auto' }: Values): Engine['kind'] | undefined {
  if (text === 'auto') return undefined;
  if (text === 'podman' || text === 'docker') return text;
  throw new Error(`--container-runtime is "${text}": expected podman, docker or auto`);
}

/**
 * Containers of one image, with the network, the folder and the variables that the command line names.
 * @throws Error with what is wrong, in words; a RunnerError where this machine has no engine that answers
 */
export async function containerOf(values: Values, env: NodeJS.ProcessEnv): Promise<Capability> {
  const engine = await findEngine(engineKindOf(values));
  const home = values['victoria-home'] ?? (env['VICTORIA_HOME'] || undefined);
  return container({
    engine,
    images: [containerImage(values, env)],
    networks: [values['container-network'] ?? OWN_NETWORK[engine.kind]],
    mounts: home === undefined ? [] : [{ source: home, writable: true }],
    envFile: values['env-file'],
    stateDirectory: values['state-dir'],
  });
}
