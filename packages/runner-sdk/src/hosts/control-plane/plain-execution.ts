import type { RunnerExecutionRequest } from '@controlplane/contracts';

type Members = Readonly<Record<string, unknown>>;
/** A request that says nothing but what every execution needs. The time limit may be left to the capability. */
export type PlainExecution = Omit<RunnerExecutionRequest, 'timeoutMs'> & { timeoutMs?: number | undefined };

const ID = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,128}$/;
const MAX_TOKEN = 256;
const MAX_MS = 2_147_483_647;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): boolean => typeof value === 'string' && ID.test(value);
const isPositive = (value: unknown, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= most;

/** Whether each member is one that the schema gives back as it is; undefined is not there. */
const MEMBERS: Readonly<Record<string, (value: unknown) => boolean>> = {
  jobId: isId,
  moduleId: (value) => typeof value === 'string',
  capabilityId: isId,
  payload: (value) => isObject(value) && !Object.hasOwn(value, '__proto__'),
  timeoutMs: (value) => isPositive(value, MAX_MS),
  metadata: (value) => isObject(value) && Object.keys(value).length === 0,
  executionId: isId,
  attempt: (value) => isPositive(value, Number.MAX_SAFE_INTEGER),
  leaseToken: (value) => typeof value === 'string' && value.length <= MAX_TOKEN,
  instanceId: isId,
};

/**
 * The request that every ordinary execution is, where the schema would give it back as it is: known without asking
 * it, which costs five times as much. Undefined for all else, right or wrong: the schema decides.
 */
export function plainExecution(value: unknown): PlainExecution | undefined {
  if (!isObject(value)) return undefined;
  const { jobId, moduleId, capabilityId, payload, metadata } = value;
  if (jobId === undefined || moduleId === undefined || capabilityId === undefined) return undefined;
  if (payload === undefined || metadata === undefined) return undefined;
  for (const name of Object.keys(value)) {
    const isRight = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
    if (isRight === undefined || !isRight(value[name])) return undefined;
  }
  return value as PlainExecution;
}
