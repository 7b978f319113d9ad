import type { RunnerRegistrationRequest } from '@controlplane/contracts';
import type { RunnerMarks } from '../model/runner-status.js';
import type { StoreOperation } from '../store/store.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';

const COLLECTION = 'runner-marks';

const isEmpty = ({ disabled, drain }: RunnerMarks): boolean => disabled === undefined && drain === undefined;

function operationFor(id: string, marks: RunnerMarks): StoreOperation {
  if (isEmpty(marks)) return { kind: 'remove-record', collection: COLLECTION, id };
  return { kind: 'put-record', collection: COLLECTION, id, record: JSON.stringify(marks) };
}

/** Puts marks on a runner: they count at once, and are on disk when this resolves. Where they cannot be stored they are taken back. */
export function keepMarks(state: LiveState, entry: RunnerEntry, marks: RunnerMarks): Promise<void> {
  const before = entry.marks;
  entry.marks = marks;
  return new Promise((resolve, reject) => {
    state.commit.attempt(operationFor(entry.id, marks), (error) => {
      if (error === undefined) return resolve();
      if (entry.marks === marks) entry.marks = before;
      reject(error);
    });
  });
}

/** Takes the marks of a runner out of the store that is being forgotten. */
export function forgetMarks(state: LiveState, entry: RunnerEntry): void {
  if (isEmpty(entry.marks)) return;
  entry.marks = {};
  state.commit.keep(operationFor(entry.id, {}));
}

/** Another process answers for the runner: the word to the one before has been kept. */
export function outliveDrain(
  state: LiveState,
  entry: RunnerEntry,
  { instanceId }: RunnerRegistrationRequest,
): void {
  const { drain, ...rest } = entry.marks;
  if (drain === undefined || (instanceId !== undefined && drain.instanceId === instanceId)) return;
  entry.marks = rest;
  state.commit.keep(operationFor(entry.id, rest));
}

/** Puts back what the store knows of one runner. */
export async function restoreMarksOf({ store }: LiveState, entry: RunnerEntry): Promise<void> {
  const found = (await store.loadRecords(COLLECTION)).find(({ id }) => id === entry.id);
  if (found !== undefined) entry.marks = JSON.parse(found.record) as RunnerMarks;
}

/** Puts back what the store knows; marks of runners that are gone go too. */
export async function restoreMarks(
  state: LiveState,
  get: (id: string) => RunnerEntry | undefined,
): Promise<void> {
  for (const { id, record } of await state.store.loadRecords(COLLECTION)) {
    const entry = get(id);
    if (entry === undefined) state.commit.keep(operationFor(id, {}));
    else entry.marks = JSON.parse(record) as RunnerMarks;
  }
}
