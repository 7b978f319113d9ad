import type { RunnerMetadata } from '@controlplane/contracts';
import type { SwarmletHello } from '@controlplane/contracts/swarmlet';
import type { Caller } from '../../model/caller.js';
import { JobForgeError } from '../../model/job-forge-error.js';
import type { DoorParts } from '../door.js';
import { knownRunner } from '../known-runner.js';
import { numberOf } from './announcement.js';

/** Whoever has said hello, and what is known of it. */
export interface Greeted {
  readonly caller: Caller;
  /** Undefined for a runner that was away until it was forgotten. */
  readonly known: RunnerMetadata | undefined;
}

/** Where nobody is asked for a credential, a runner is who it says. */
async function byName({ operations }: DoorParts, hello: SwarmletHello): Promise<RunnerMetadata | undefined> {
  const { runner_id: id = null, runner_name: name = null } = hello;
  const runners = (await operations.listRunners()).filter(({ tags }) => tags.includes('swarmlet'));
  return runners.find((runner) => (id === null ? runner.name === name : numberOf(runner.id) === id));
}

/**
 * Finds out who says hello. Refuses as the gate does, and with RUNNER_MISMATCH where number or name are not those of
 * the secret.
 */
export async function identify(parts: DoorParts, hello: SwarmletHello, address: string): Promise<Greeted> {
  const caller = await parts.gate.identify(hello.secret, address);
  if (caller.kind === 'anyone') return { caller, known: await byName(parts, hello) };
  if (caller.kind !== 'runner') throw new JobForgeError('ROLE_REQUIRED');
  const known = await knownRunner(parts, caller.runnerId);
  const { runner_id: id = null, runner_name: name = null } = hello;
  const isAnother =
    id === null ? known !== undefined && known.name !== name : id !== numberOf(caller.runnerId);
  if (isAnother) throw new JobForgeError('RUNNER_MISMATCH');
  return { caller, known };
}
