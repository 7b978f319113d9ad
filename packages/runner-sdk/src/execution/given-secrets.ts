import { extrasOf, type RunningExecution } from './running-executions.js';
import { createSecrets } from './secrets.js';

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** The secrets that a capability names, as the control plane has sent them: nothing else of what was sent. */
export function givenSecrets({ capability, request }: RunningExecution): Readonly<Record<string, string>> {
  const { secrets: names } = capability;
  if (names.length === 0) return NONE;
  const given = Object.create(null) as Record<string, string>;
  for (const name of names) {
    const value = request.secrets?.[name];
    if (value !== undefined) given[name] = value;
  }
  return Object.freeze(given);
}

/** Hides the secrets that came with an execution, named or not, in everything that it says. */
export function hideGivenSecrets(execution: RunningExecution): void {
  const { secrets } = execution.request;
  if (secrets === undefined) return;
  const extras = extrasOf(execution);
  const hidden = (extras.secrets ??= createSecrets());
  for (const value of Object.values(secrets)) hidden.add(value);
}

/** Names of secrets that a capability needs and was not given. */
export function missingSecrets({ capability, request }: RunningExecution): string[] {
  return capability.secrets.filter((name) => request.secrets?.[name] === undefined);
}
