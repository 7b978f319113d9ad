/** Which way a message goes, seen from the runner. */
export type Way = 'from runner' | 'to runner';

/** What becomes of a message between two that speak different minors of the contract. */
export type Rewrite = (message: unknown, at: { readonly way: Way; readonly path: string }) => unknown;

type Members = Record<string, unknown>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members whose own members are the user's, or have a key for each of something. */
const NOT_OURS = new Set([
  'payload',
  'data',
  'labels',
  'fields',
  'secrets',
  'inputSchema',
  'outputSchema',
  'checks',
]);

/** Adds what a later minor may add: a member to every object that is the contract's, and a feature. */
function addUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(addUnknown);
  if (!isMembers(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => {
    if (key === 'features' && Array.isArray(member)) return [key, [...(member as unknown[]), 'teleport']];
    return [key, NOT_OURS.has(key) ? member : addUnknown(member)];
  });
  return { ...Object.fromEntries(entries), fromALaterMinor: { nested: [1, null, { deep: true }] } };
}

function registrationIn(message: Members): Members {
  return isMembers(message['registration']) ? message['registration'] : message;
}

/** Both sides hear what only a later minor has, and each believes that the other speaks one. */
export const later: Rewrite = (message, { way }) => {
  const grown = addUnknown(message);
  if (!isMembers(grown)) return grown;
  const registration = registrationIn(grown);
  // What is signed cannot be rewritten.
  if (way === 'to runner') delete registration['signingKey'];
  else if ('capabilities' in registration)
    registration['contractVersion'] = { major: 1, minor: 7, patch: 0, of: 'later' };
  return grown;
};

const only = (message: Members, names: readonly string[]): Members =>
  Object.fromEntries(Object.entries(message).filter(([name]) => names.includes(name)));

const CAPABILITY = [
  'id',
  'name',
  'version',
  'description',
  'inputSchema',
  'outputSchema',
  'supportedJobTypes',
];
const REGISTRATION = ['name', 'version', 'contractVersion', 'capabilities', 'healthCheckEndpoint', 'tags'];
const FROM_RUNNER: Readonly<Record<string, readonly string[]>> = {
  '/runners/heartbeat': ['runnerId', 'timestamp', 'status', 'activeJobs', 'queuedJobs', 'metrics'],
  '/execute': ['jobId', 'runnerId', 'success', 'data', 'error', 'executionTimeMs'],
  '/health': ['status'],
};
const TO_RUNNER: Readonly<Record<string, readonly string[]>> = {
  '/runners/register': ['runnerId', 'registeredAt', 'heartbeatIntervalMs'],
  '/runners/heartbeat': [],
  '/execute': ['jobId', 'moduleId', 'capabilityId', 'payload', 'timeoutMs', 'metadata'],
};

/** Both sides hear only what the first version of the contract had, as the guide has it. */
export const first: Rewrite = (message, { way, path }) => {
  if (!isMembers(message)) return message;
  if (way === 'from runner' && path === '/runners/register') {
    const capabilities = (message['capabilities'] as Members[]).map((capability) =>
      only(capability, CAPABILITY),
    );
    return {
      ...only(message, REGISTRATION),
      contractVersion: { major: 1, minor: 0, patch: 0 },
      capabilities,
    };
  }
  const names = (way === 'from runner' ? FROM_RUNNER : TO_RUNNER)[path];
  return names === undefined ? message : only(message, names);
};
