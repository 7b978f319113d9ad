import type { Execution } from './live-job.js';
import { createTokenRing, type TokenRing } from './token-ring.js';

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
  /** Forgets all of them: they are another JobForge's, and who waits is not answered. */
  clear(): void;
}

const MAX_REMEMBERED = 16_384;

export function createPastExecutions(): PastExecutions {
  /** Those whose end is being written. None is forgotten: its runner may wait for an answer. */
  const settling = new Map<string, Execution>();
  const waiting = new Map<string, ((seq: number) => void)[]>();
  let ring: TokenRing | undefined;

  const remember = ({ lease, endSeq }: Execution): void => {
    ring ??= createTokenRing(MAX_REMEMBERED);
    ring.add(lease.executionId, { token: lease.token, seq: endSeq });
  };

  return {
    close(execution) {
      const { executionId } = execution.lease;
      // Adopted back, an execution may be closed a second time, by another end.
      settling.delete(executionId);
      if (execution.endSeq === undefined) remember(execution);
      else settling.set(executionId, execution);
    },
    settle(execution) {
      const { lease, endSeq } = execution;
      if (endSeq === undefined || !settling.delete(lease.executionId)) return;
      remember(execution);
      const waiters = waiting.get(lease.executionId);
      if (waiters === undefined) return;
      waiting.delete(lease.executionId);
      for (const settled of waiters) settled(endSeq);
    },
    find(executionId) {
      const found = settling.get(executionId);
      if (found !== undefined) return { token: found.lease.token, past: { kind: 'settling' } };
      const remembered = ring?.find(executionId);
      if (remembered === undefined) return undefined;
      const { token, seq } = remembered;
      return { token, past: seq === undefined ? { kind: 'superseded' } : { kind: 'settled', seq } };
    },
    whenSettled(executionId, settled) {
      if (!settling.has(executionId)) return;
      const waiters = waiting.get(executionId);
      if (waiters === undefined) waiting.set(executionId, [settled]);
      else waiters.push(settled);
    },
    clear() {
      settling.clear();
      waiting.clear();
      ring = undefined;
    },
  };
}
