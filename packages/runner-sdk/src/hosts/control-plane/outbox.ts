import { ExecutionEvent, Identifier } from '@controlplane/contracts';
import { z } from 'zod';
import { sayThrown } from '../../util/safe-json.js';
import type { StateFiles } from '../state-files.js';

/** The end of one execution, with what was not acknowledged before it. */
const Entry = z.object({
  executionId: Identifier,
  leaseToken: z.string().optional(),
  events: z.array(ExecutionEvent).min(1),
});
type Entry = z.infer<typeof Entry>;

/** Ends of executions that the control plane has not acknowledged, in files that outlive the process. */
export interface Outbox {
  /** Keeps an end. Those of one turn of the event loop, and of the time that a file takes, go into one file. */
  put(executionId: string, leaseToken: string | undefined, events: () => ExecutionEvent[]): void;
  /** It was acknowledged. A file whose every entry was is taken away. */
  remove(executionId: string): void;
  /** What an earlier process left, until it is taken. */
  left(): readonly Entry[];
  /** Resolves when everything that was put is in a file or was removed. */
  flush(): Promise<void>;
}

/** What an outbox needs. */
export interface OutboxOptions {
  readonly state: StateFiles;
  readonly folder: string;
  /** Makes names that no other process makes. */
  readonly instanceId: string;
  /** Something could not be kept or read, in words. */
  readonly onProblem: (message: string) => void;
}

interface Box extends OutboxOptions {
  readonly fresh: Map<
    string,
    { readonly leaseToken: string | undefined; readonly events: () => ExecutionEvent[] }
  >;
  /** The file of each entry, and the entries of each file. */
  readonly fileOf: Map<string, string>;
  readonly files: Map<string, Set<string>>;
  nextFile: number;
  writing: Promise<void> | undefined;
  /** The file that is being written. */
  current: string | undefined;
}

async function readFiles(box: Box): Promise<Entry[]> {
  const { state, folder, onProblem } = box;
  const entries: Entry[] = [];
  for (const name of await state.list(folder)) {
    const file = `${folder}/${name}`;
    try {
      const found = z.array(Entry).parse(JSON.parse((await state.read(file)) ?? '[]'));
      entries.push(...found);
      box.files.set(file, new Set(found.map(({ executionId }) => executionId)));
      for (const { executionId } of found) box.fileOf.set(executionId, file);
    } catch (error) {
      onProblem(`the outbox file ${file} cannot be read and is left where it is: ${sayThrown(error)}`);
    }
  }
  return entries;
}

async function writeFresh(box: Box): Promise<void> {
  // One turn later: an end that is acknowledged at once needs no file.
  await new Promise((resolve) => setImmediate(resolve));
  while (box.fresh.size > 0) {
    const file = `${box.folder}/${String(box.nextFile++).padStart(9, '0')}-${box.instanceId}.json`;
    const entries = [...box.fresh].map(([executionId, { leaseToken, events }]) => ({
      executionId,
      leaseToken,
      events: events(),
    }));
    box.fresh.clear();
    const left = new Set(entries.map(({ executionId }) => executionId));
    box.files.set(file, left);
    for (const { executionId } of entries) box.fileOf.set(executionId, file);
    box.current = file;
    await box.state
      .write(file, JSON.stringify(entries))
      .catch((error: unknown) =>
        box.onProblem(`results cannot be kept in the state directory: ${sayThrown(error)}`),
      );
    box.current = undefined;
    if (left.size === 0) await takeAway(box, file);
  }
}

async function takeAway(box: Box, file: string): Promise<void> {
  box.files.delete(file);
  await box.state
    .remove(file)
    .catch((error: unknown) =>
      box.onProblem(`the outbox file ${file} cannot be removed: ${sayThrown(error)}`),
    );
}

/** Opens the outbox of one control plane and reads what an earlier process left in it. */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const box: Box = {
    ...options,
    fresh: new Map(),
    fileOf: new Map(),
    files: new Map(),
    nextFile: 0,
    writing: undefined,
    current: undefined,
  };
  const entries = await readFiles(box);
  const removals = new Set<Promise<void>>();
  const write = (): void => {
    box.writing ??= writeFresh(box).finally(() => {
      box.writing = undefined;
      if (box.fresh.size > 0) write();
    });
  };
  return {
    put(executionId, leaseToken, events) {
      box.fresh.set(executionId, { leaseToken, events });
      write();
    },
    remove(executionId) {
      if (box.fresh.delete(executionId)) return;
      const file = box.fileOf.get(executionId);
      if (file === undefined) return;
      box.fileOf.delete(executionId);
      const left = box.files.get(file);
      left?.delete(executionId);
      // While it is being written, whoever writes it takes it away.
      if (left?.size !== 0 || box.current === file) return;
      const removal = takeAway(box, file).finally(() => removals.delete(removal));
      removals.add(removal);
    },
    left: () => entries,
    async flush() {
      while (box.writing || removals.size > 0) await Promise.all([box.writing, ...removals]);
    },
  };
}
