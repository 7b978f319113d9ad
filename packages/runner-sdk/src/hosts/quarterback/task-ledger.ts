import { QuarterbackStatusUpdate } from '@controlplane/contracts/quarterback';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { sayThrown } from '../../util/safe-json.js';
import type { HostedRunner } from '../host.js';

/** A task that was taken and of whose end the control plane does not know. */
const Entry = z.object({ taskId: z.string().min(1), final: QuarterbackStatusUpdate.optional() });
export type LedgerEntry = z.infer<typeof Entry>;

/** What is written down of tasks, so that none of them is forgotten with its runner. Nothing here rejects. */
export interface TaskLedger {
  /** What an earlier process left. */
  left(): Promise<LedgerEntry[]>;
  write(entry: LedgerEntry): Promise<void>;
  close(taskId: string): Promise<void>;
}

const NAME_CHARS = 32;

/**
 * Makes it; without a state directory it keeps nothing.
 * @param folder - in the state directory
 */
export function createTaskLedger({ state, logger }: HostedRunner, folder: string): TaskLedger {
  const fileOf = (taskId: string): string =>
    `${folder}/${createHash('sha256').update(taskId).digest('hex').slice(0, NAME_CHARS)}`;
  /** One after the other: what was written first is not what stays. */
  let last: Promise<unknown> = Promise.resolve();

  function inOrder<T>(what: string, act: () => Promise<T> | undefined): Promise<T | undefined> {
    const done = last.then(act).catch((error: unknown) => {
      logger.error(`${what}: ${sayThrown(error)}`);
      return undefined;
    });
    last = done;
    return done;
  }
  async function read(name: string): Promise<LedgerEntry | undefined> {
    const file = `${folder}/${name.split('/').at(-1) ?? ''}`;
    const text = await state?.read(file);
    const entry = Entry.safeParse(text === undefined ? undefined : JSON.parse(text));
    if (entry.success) return entry.data;
    await state?.remove(file);
    return undefined;
  }
  return {
    left: async () =>
      (await inOrder('what an earlier start was doing cannot be read', async () => {
        const entries = await Promise.all(((await state?.list(folder)) ?? []).map(read));
        return entries.filter((entry) => entry !== undefined);
      })) ?? [],
    async write(entry) {
      await inOrder(`task ${entry.taskId} is not written down`, () =>
        state?.write(fileOf(entry.taskId), JSON.stringify(entry)),
      );
    },
    async close(taskId) {
      await inOrder(`what is written down of task ${taskId} cannot be removed`, () =>
        state?.remove(fileOf(taskId)),
      );
    },
  };
}
