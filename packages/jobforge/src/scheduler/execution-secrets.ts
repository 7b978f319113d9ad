import { envelopeOf, type ErrorEnvelope, type ExecutionEvent, type LogEvent } from '@controlplane/contracts';
import { hideValues, type ValueHider } from '../model/hide-values.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

/** Members of an envelope that say what kind of error it is: they are no text of the handler's. */
const KINDS: ReadonlySet<string> = new Set(['id', 'timestamp', 'category', 'severity', 'code', 'service']);

const NONE: readonly string[] = [];

/** Names of the secrets that an execution is given. */
function namesOf({ runner, lease }: Execution): readonly string[] {
  const capability = runner.registration.capabilities.find(({ id }) => id === lease.capabilityId);
  return capability?.secrets ?? NONE;
}

/** What a capability that lacks secrets is told with: at submit, and where they went away since. */
export function secretMissing(capability: string, missing: readonly string[]): ErrorEnvelope {
  const names = missing.join(', ');
  return envelopeOf('SECRET_MISSING', {
    service: 'jobforge',
    message: `${capability} needs ${missing.length === 1 ? 'the secret' : 'the secrets'} ${names}, which cannot be read here.`,
    remedy: `Set ${missing.length === 1 ? 'it' : 'them'} with \`jobforge secret set ${missing[0] ?? 'NAME'}\`, then submit or retry the job.`,
  });
}

/**
 * Resolves the secrets of an execution that is about to be sent, and has them hidden in all that comes of it.
 * @returns JSON of the values, undefined where it needs none; an error where some are missing
 */
export function secretsFor(state: LiveState, execution: Execution): string | undefined | ErrorEnvelope {
  const names = namesOf(execution);
  if (names.length === 0) return undefined;
  const { capabilityId } = execution.lease;
  const { values, missing } = state.secrets.resolve(names, capabilityId);
  const shown = Object.values(values);
  // Sent again after one was rotated, it is still about the value that it was begun with.
  execution.hides = execution.hides?.and(shown) ?? hideValues(shown);
  if (missing.length === 0) return JSON.stringify(values);
  // What was sent before has its secrets: it is only asked for again.
  return execution.recovered || execution.offeredAt > 0 ? undefined : secretMissing(capabilityId, missing);
}

/** The hider of an execution that was sent before JobForge was restarted is made when it is first heard of. */
export function hiderOf(state: LiveState, execution: Execution): ValueHider | undefined {
  if (execution.hides === undefined && execution.recovered) secretsFor(state, execution);
  return execution.hides;
}

/** An error without the values of secrets. */
export function hideInEnvelope(error: ErrorEnvelope, { json }: ValueHider): ErrorEnvelope {
  const members = Object.entries(error).map(([name, member]) => [
    name,
    KINDS.has(name) ? member : json(member),
  ]);
  return Object.fromEntries(members) as ErrorEnvelope;
}

function hideInLog(event: LogEvent, hides: ValueHider): LogEvent {
  const { message, fields, notification } = event;
  return {
    ...event,
    message: hides.text(message),
    ...(notification?.audience !== undefined && {
      notification: { audience: hides.text(notification.audience) },
    }),
    ...(fields && { fields: hides.json(fields) as typeof fields }),
  };
}

/** An event as it may be kept: without the values of its execution's secrets. */
export function withoutSecrets(
  state: LiveState,
  execution: Execution,
  event: ExecutionEvent,
): ExecutionEvent {
  const hides = hiderOf(state, execution);
  if (hides === undefined) return event;
  switch (event.type) {
    case 'log':
      return hideInLog(event, hides);
    case 'progress':
      return event.message === undefined ? event : { ...event, message: hides.text(event.message) };
    case 'checkpoint':
      return { ...event, data: hides.json(event.data) };
    case 'succeeded':
      return { ...event, data: hides.json(event.data) };
    case 'failed':
      return { ...event, error: hideInEnvelope(event.error, hides) };
    case 'cancelled':
      return event.message === undefined ? event : { ...event, message: hides.text(event.message) };
    default:
      return event;
  }
}
