import { z } from 'zod';
import { sayThrown } from '../util/safe-json.js';
import type { HostedRunner } from './host.js';
import type { StateFiles } from './state-files.js';

/** What is to be said of one execution. */
export interface OutboxEntry {
  readonly executionId: string;
}

/** What control planes have not acknowledged of executions, in files that outlive the process. */
export interface Outbox<Entry extends OutboxEntry> {
  /**
   * Keeps what is to be said of an execution, in the place of what was to be said before. What is put in one turn of the
   * event loop, and in the time that a file takes, goes into one file.
   * @param make - asked when it is written
   */
  put(executionId: string, make: () => Entry): void;
  /** It was acknowledged. A file whose every entry was is taken away. */
  remove(executionId: string): void;
  /** What an earlier process left, until it is taken. */
  left(): readonly Entry[];
  /** Resolves when everything that was put is in a file or was removed. */
  flush(): Promise<void>;
}

/** What an outbox needs. */
export interface OutboxOptions<Entry extends OutboxEntry> {
  readonly schema: z.ZodType<Entry>;
  readonly state: StateFiles;
  readonly folder: string;
  /** Makes names that no other process makes. */
  readonly instanceId: string;
  /** Something could not be kept or read, in words. */
  readonly onProblem: (message: string) => void;
}

interface Box<Entry extends OutboxEntry> extends OutboxOptions<Entry> {
  readonly fresh: Map<string, () => Entry>;
  /** The file of each entry, and the entries of each file. */
  readonly fileOf: Map<string, string>;
  readonly files: Map<string, Set<string>>;
  /** What is being taken away. */
  readonly removals: Set<Promise<void>>;
  nextFile: number;
  writing: Promise<void> | undefined;
  /** The file that is being written. */
  current: string | undefined;
}

async function readFiles<Entry extends OutboxEntry>(box: Box<Entry>): Promise<Entry[]> {
  const { state, folder, schema, onProblem } = box;
  const entries: Entry[] = [];
  for (const name of await state.list(folder)) {
    const file = `${folder}/${name}`;
    try {
      const found = z.array(schema).parse(JSON.parse((await state.read(file)) ?? '[]'));
      entries.push(...found);
      box.files.set(file, new Set(found.map(({ executionId }) => executionId)));
      for (const { executionId } of found) box.fileOf.set(executionId, file);
    } catch (error) {
      onProblem(`the outbox file ${file} cannot be read and is left where it is: ${sayThrown(error)}`);
    }
  }
  return entries;
}

async function writeFresh<Entry extends OutboxEntry>(box: Box<Entry>): Promise<void> {
  // One turn later: an end that is acknowledged at once needs no file.
  await new Promise((resolve) => setImmediate(resolve));
  while (box.fresh.size > 0) {
    const file = `${box.folder}/${String(box.nextFile++).padStart(9, '0')}-${box.instanceId}.json`;
    const entries = [...box.fresh.values()].map((make) => make());
    box.fresh.clear();
    const before = entries.map(({ executionId }) => [executionId, box.fileOf.get(executionId)] as const);
    const left = new Set(entries.map(({ executionId }) => executionId));
    box.files.set(file, left);
    for (const { executionId } of entries) box.fileOf.set(executionId, file);
    box.current = file;
    const error = await box.state.write(file, JSON.stringify(entries)).then(
      () => undefined,
      (thrown: unknown) => sayThrown(thrown),
    );
    box.current = undefined;
    if (error !== undefined) {
      box.onProblem(`results cannot be kept in the state directory: ${error}`);
      box.files.delete(file);
    }
    for (const [executionId, older] of before) {
      // What was there is the truth until another is; not where it was acknowledged meanwhile.
      if (error !== undefined && box.fileOf.get(executionId) === file) stayIn(box, older, executionId);
      else clear(box, leaveFile(box, older, executionId));
    }
    if (error === undefined && left.size === 0) clear(box, takeAway(box, file));
  }
}

/** Files go while others are being written: what is to be kept does not wait for what is not. */
function clear({ removals }: Pick<Box<OutboxEntry>, 'removals'>, removing: Promise<void>): void {
  const removal = removing.finally(() => removals.delete(removal));
  removals.add(removal);
}

/** The file that was to replace an older one, if any, is not there. */
function stayIn(
  { fileOf }: Pick<Box<OutboxEntry>, 'fileOf'>,
  older: string | undefined,
  executionId: string,
): void {
  if (older === undefined) fileOf.delete(executionId);
  else fileOf.set(executionId, older);
}

type Files = Pick<Box<OutboxEntry>, 'state' | 'files' | 'onProblem' | 'current'>;

/** An entry is not of a file any more, which goes with the last of them. */
async function leaveFile(box: Files, file: string | undefined, executionId: string): Promise<void> {
  const left = file === undefined ? undefined : box.files.get(file);
  left?.delete(executionId);
  // While it is being written, whoever writes it takes it away.
  if (file !== undefined && left?.size === 0 && box.current !== file) await takeAway(box, file);
}

async function takeAway(box: Files, file: string): Promise<void> {
  box.files.delete(file);
  await box.state
    .remove(file)
    .catch((error: unknown) =>
      box.onProblem(`the outbox file ${file} cannot be removed: ${sayThrown(error)}`),
    );
}

/** Opens the outbox of one control plane and reads what an earlier process left in it. */
export async function openOutbox<Entry extends OutboxEntry>(
  options: OutboxOptions<Entry>,
): Promise<Outbox<Entry>> {
  const box: Box<Entry> = {
    ...options,
    fresh: new Map(),
    fileOf: new Map(),
    files: new Map(),
    removals: new Set(),
    nextFile: 0,
    writing: undefined,
    current: undefined,
  };
  const entries = await readFiles(box);
  const write = (): void => {
    box.writing ??= writeFresh(box).finally(() => {
      box.writing = undefined;
      if (box.fresh.size > 0) write();
    });
  };
  return {
    put(executionId, make) {
      box.fresh.set(executionId, make);
      write();
    },
    remove(executionId) {
      box.fresh.delete(executionId);
      const file = box.fileOf.get(executionId);
      if (file === undefined) return;
      box.fileOf.delete(executionId);
      clear(box, leaveFile(box, file, executionId));
    },
    left: () => entries,
    async flush() {
      while (box.writing || box.removals.size > 0) await Promise.all([box.writing, ...box.removals]);
    },
  };
}

/**
 * Opens the outbox of a runner at one control plane.
 * @param name - tells it from the runner's others
 * @returns undefined without a state directory, and where it cannot be read
 */
export async function openRunnerOutbox<Entry extends OutboxEntry>(
  { state, instanceId, logger }: Pick<HostedRunner, 'state' | 'instanceId' | 'logger'>,
  name: string,
  schema: z.ZodType<Entry>,
): Promise<Outbox<Entry> | undefined> {
  if (!state) return undefined;
  const onProblem = (message: string): void => logger.error(message);
  const folder = `outbox/${name}`;
  return openOutbox({ state, folder, instanceId, schema, onProblem }).catch((error: unknown) => {
    onProblem(
      `the outbox in the state directory cannot be opened, results do not outlive the process: ${sayThrown(error)}`,
    );
    return undefined;
  });
}
