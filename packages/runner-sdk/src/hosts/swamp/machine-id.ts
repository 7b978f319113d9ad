import { readMachineId } from '../../util/machine-id.js';
import type { HostedRunner } from '../host.js';

/**
 * The id that an enrollment token is bound to: the one of swamp's own runner where its folder is named, so that a runner
 * that takes its place needs no other token; else the machine's as the runner has it.
 * @throws Error when the folder can be neither read nor written
 */
export function machineIdFor(runner: HostedRunner, cacheDir: string | undefined): string {
  if (cacheDir === undefined) return runner.describe().machineId ?? runner.instanceId;
  // Whatever swamp's own runner has written there, the token is bound to it.
  return readMachineId(cacheDir, (text) => text !== '');
}
