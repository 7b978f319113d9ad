import type { Execution } from './live-job.js';

/** What became of an execution that is over, as far as its runner is concerned. */
export type PastExecution =
  /** The runner ended it, and that is on disk: `seq` was the last event. */
  | { readonly kind: 'settled'; readonly seq: number }
  /** The runner ended it, and that is being written. */
  | { readonly kind: 'settling' }
  /** It was taken from the runner. */
  | { readonly kind: 'superseded' };

/** Remembers the executions that were closed last, for runners that tell of them late or twice. */
export interface PastExecutions {
  /** An execution is over. */
  close(execution: Execution): void;
  /** What its runner said last is on disk. */
  settle(execution: Execution): void;
  /** Undefined where it was never, or where it was long ago. */
  find(executionId: string): { readonly token: string; readonly past: PastExecution } | undefined;
  /** Calls `settled` once an execution that is settling is settled. */
  whenSettled(executionId: string, settled: (seq: number) => void): void;
}

interface Entry {
  readonly token: string;
  /** The seq of the event with which its runner ended it; undefined where it did not. */
  readonly endSeq: number | undefined;
  settled: boolean;
  /** Undefined while nobody waits, as nearly always: thousands of these are held. */
  waiting: ((seq: number) => void)[] | undefined;
}

const MAX_REMEMBERED = 10_000;
/** How many more there may be: what is taken out at the front of a map is passed again each time it is looked through. */
const SLACK = 1_000;

export function createPastExecutions(): PastExecutions {
  const entries = new Map<string, Entry>();

  /** The oldest go first, but for those whose runner waits for an answer. */
  const shrink = (): void => {
    for (const [id, { settled, endSeq }] of entries) {
      if (entries.size <= MAX_REMEMBERED) return;
      if (settled || endSeq === undefined) entries.delete(id);
    }
  };

  return {
    close({ lease, endSeq }) {
      entries.set(lease.executionId, { token: lease.token, endSeq, settled: false, waiting: undefined });
      if (entries.size > MAX_REMEMBERED + SLACK) shrink();
    },
    settle({ lease, endSeq }) {
      const entry = entries.get(lease.executionId);
      if (entry === undefined || endSeq === undefined || entry.settled) return;
      entry.settled = true;
      const { waiting = [] } = entry;
      entry.waiting = undefined;
      for (const settled of waiting) settled(endSeq);
    },
    find(executionId) {
      const entry = entries.get(executionId);
      if (entry === undefined) return undefined;
      const { token, endSeq, settled } = entry;
      if (endSeq === undefined) return { token, past: { kind: 'superseded' } };
      return { token, past: settled ? { kind: 'settled', seq: endSeq } : { kind: 'settling' } };
    },
    whenSettled(executionId, settled) {
      const entry = entries.get(executionId);
      if (entry !== undefined) (entry.waiting ??= []).push(settled);
    },
  };
}
