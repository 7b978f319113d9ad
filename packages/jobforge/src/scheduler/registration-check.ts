import {
  CONTRACT_VERSION_CURRENT,
  negotiateVersion,
  serializeVersion,
  type ContractVersion,
  type RunnerRegistrationRequest,
} from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { isDialIn } from './runner-entry.js';

/** The version that both sides speak. */
export function negotiate(theirs: ContractVersion): ContractVersion {
  const agreed = negotiateVersion(CONTRACT_VERSION_CURRENT, theirs);
  if (agreed !== undefined) return agreed;
  throw new JobForgeError('CONTRACT_MISMATCH', {
    message: `The runner speaks contract ${serializeVersion(theirs)}; JobForge speaks ${serializeVersion(CONTRACT_VERSION_CURRENT)}.`,
  });
}

/** Refuses what cannot be served as it came. */
export function checkArrival(registration: RunnerRegistrationRequest, arrival: object | undefined): void {
  const kind = registration.delivery?.kind ?? 'push';
  const invalid = (path: string[], message: string): JobForgeError =>
    new JobForgeError('VALIDATION_ERROR', { message, details: [{ path, message, code: 'custom' }] });
  if ((kind === 'websocket') !== (arrival !== undefined)) {
    const message =
      arrival === undefined
        ? 'A runner with the delivery websocket registers by the first frame over its socket: dial GET /runners/connect.'
        : `A runner that registers over its socket has the delivery websocket, not ${kind}.`;
    throw invalid(['delivery', 'kind'], message);
  }
  if (isDialIn(registration) && registration.instanceId === undefined)
    throw invalid(['instanceId'], 'Required of a runner that dials in: it tells one process from the next.');
}
