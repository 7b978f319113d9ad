import type { ExecutionEvent } from '@controlplane/contracts';

const ID = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,128}$/;
/** Moments as `Date` writes them, without the days that not every month has. */
const MOMENT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

type Members = Readonly<Record<string, unknown>>;

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** The members that every event has: four with the type. */
function isPlaced({ executionId, seq, at }: Members): boolean {
  return typeof executionId === 'string' && ID.test(executionId) && isCount(seq) && isMoment(at);
}

const isMoment = (value: unknown): boolean => typeof value === 'string' && MOMENT.test(value);

function isSuccess(event: Members): boolean {
  const { executionTimeMs, runnerId, data } = event;
  if (!Number.isFinite(executionTimeMs) || (executionTimeMs as number) < 0) return false;
  if (runnerId !== undefined && typeof runnerId !== 'string') return false;
  const known = 5 + (runnerId === undefined ? 0 : 1) + (data === undefined ? 0 : 1);
  return Object.keys(event).length === known && isPlaced(event);
}

/**
 * The two events that every execution has, where the schema would give them back as they are: known without asking it,
 * which costs four times as much. Undefined for all else, right or wrong: the schema decides.
 */
export function plainEvent(value: unknown): ExecutionEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const event = value as Members;
  const isPlain =
    event.type === 'accepted'
      ? Object.keys(event).length === 4 && isPlaced(event)
      : event.type === 'succeeded' && isSuccess(event);
  return isPlain ? (event as ExecutionEvent) : undefined;
}
