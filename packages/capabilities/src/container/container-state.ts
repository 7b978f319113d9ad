import { CapabilityError } from '@controlplane/runner-sdk';
import { causeIn, engineCommand } from './engine-command.js';
import type { Engine } from './engine.js';

/** What the engine knows of a container that has ended. */
export interface ContainerState {
  readonly started: boolean;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly error: string;
  readonly imageId: string;
}

interface Inspected {
  readonly Image?: string;
  readonly State?: {
    readonly ExitCode?: number;
    readonly OOMKilled?: boolean;
    readonly StartedAt?: string;
    readonly Error?: string;
  };
}

/** A failure to begin, with what the engine said. */
export function notStarted(what: string, said: string): CapabilityError {
  const cause = causeIn(said);
  // Nothing of these gets better by itself; a registry that is away may.
  const isFinal = /not found|no such|denied|unauthorized|not known|invalid|pull policy/i.test(cause);
  return new CapabilityError('CONTAINER_NOT_STARTED', `${what} could not be started: ${cause}`, {
    retryable: !isFinal,
    details: [{ message: said.slice(-4_096) }],
    remedy: 'Check the name of the image and whether this runner may fetch it, and the command.',
  });
}

/** Asks the engine how a container ended. */
export async function containerState(engine: Engine, name: string): Promise<ContainerState> {
  const answer = await engineCommand(engine, ['inspect', '--type', 'container', name]);
  if (answer.exitCode !== 0)
    throw new Error(`${engine.kind} does not know ${name} any more: ${causeIn(answer.stderr)}`);
  const [{ Image: imageId = '', State: state = {} } = {}] = JSON.parse(answer.stdout) as Inspected[];
  return {
    imageId,
    exitCode: state.ExitCode ?? -1,
    outOfMemory: state.OOMKilled === true,
    error: state.Error ?? '',
    started: state.StartedAt !== undefined && !state.StartedAt.startsWith('0001-'),
  };
}
