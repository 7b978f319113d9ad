import {
  CONTRACT_VERSION_CURRENT,
  negotiateVersion,
  serializeVersion,
  type ContractVersion,
  type RegistrationWarning,
  type RunnerRegistrationRequest,
} from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import type { CapabilityChecks } from './input-check.js';
import { isDialIn } from './runner-entry.js';

/** Schemas that are compiled while a runner waits for its answer; those of further capabilities are when they are used. */
const MAX_COMPILED = 50;
const MAX_CAUSE = 1_000;

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

/** The two schemas of a capability, and what is not done where one cannot be compiled. */
const SIDES = [
  { side: 'input', left: 'Its inputs are not checked when a job is submitted.' },
  { side: 'output', left: 'Its results are checked by the runner alone.' },
] as const;

/** Says which schemas of a registration cannot be compiled. */
export function schemaWarnings(
  { capabilities }: Pick<RunnerRegistrationRequest, 'capabilities'>,
  checks: { readonly input: CapabilityChecks; readonly output: CapabilityChecks },
): RegistrationWarning[] {
  return capabilities.slice(0, MAX_COMPILED).flatMap(({ id }, index) =>
    SIDES.flatMap(({ side, left }) => {
      const cause = checks[side].problem(id);
      if (cause === undefined) return [];
      const message = `The ${side} schema of ${id} cannot be compiled: ${cause.slice(0, MAX_CAUSE)}. ${left}`;
      return { path: ['capabilities', String(index), `${side}Schema`], capability: id, message };
    }),
  );
}
