import type { ExecutionEvent, ServerFrame } from '@controlplane/contracts';
import { ECHO } from './stub-runner.js';

const ANY = { ...ECHO, inputSchema: {}, supportedJobTypes: [] } as const;

/** What a handler of a history does to the world, by capability. */
export const MODEL_CAPABILITIES = [
  { ...ANY, id: 'pure', effects: 'none' },
  { ...ANY, id: 'idempotent', effects: 'idempotent' },
  { ...ANY, id: 'writes', effects: 'writes' },
  { ...ANY, id: 'announces', effects: 'writes', announcesWrites: true },
] as const;

/** An execution as the process holds it. */
export interface HeldExecution {
  readonly executionId: string;
  readonly jobId: string;
  readonly capability: string;
  readonly leaseToken: string;
  phase: 'offered' | 'claimed' | 'running' | 'ended';
  /** Events that are not acknowledged. */
  unacknowledged: ExecutionEvent[];
  seq: number;
  cancelled: boolean;
  /** Seq of its announcement to write; undefined before. */
  announcedAt: number | undefined;
}

/** Told of what cannot be taken back. */
export interface ModelRunnerListener {
  /** A handler was started. */
  began(execution: HeldExecution): void;
  /** A handler may write: of one that announces it, the announcement is acknowledged. */
  wrote(execution: HeldExecution): void;
  /** JobForge has taken the end over. */
  acknowledged(execution: HeldExecution, end: ExecutionEvent): void;
}

/** The executions of one process, and what JobForge says of them. */
export interface ModelHoldings {
  readonly all: Map<string, HeldExecution>;
  /** Those whose handler was started: a runner that connects anew says that it has them. */
  begun(): HeldExecution[];
  /** What was offered or claimed over a connection that is gone is void. */
  voidClaims(): void;
  /** @returns the execution where the process has it already: it tells again what was not acknowledged */
  offer(request: Offered): HeldExecution | undefined;
  confirm(executionId: string, code: string | undefined): void;
  acknowledge(executionId: string, said: { readonly seq: number; readonly code?: string | undefined }): void;
  cancel(executionId: string): void;
  /** Writes down what a handler tells. */
  add(execution: HeldExecution, event: { readonly type: string } & Record<string, unknown>): void;
}

export type Offered = Extract<ServerFrame, { type: 'offers' }>['executions'][number];

const TERMINAL: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled']);

/** Of events that are taken over now. */
function pass(execution: HeldExecution, seq: number): ExecutionEvent[] {
  const passed = execution.unacknowledged.filter((event) => event.seq <= seq);
  execution.unacknowledged = execution.unacknowledged.filter((event) => event.seq > seq);
  return passed;
}

function addEvent(
  execution: HeldExecution,
  event: { readonly type: string } & Record<string, unknown>,
): void {
  execution.seq += 1;
  const { executionId, seq } = execution;
  const full = { executionId, seq, at: new Date(0).toISOString(), ...event } as ExecutionEvent;
  execution.unacknowledged.push(full);
  if (full.type === 'writing') execution.announcedAt = seq;
  if (TERMINAL.has(full.type)) execution.phase = 'ended';
}

function newExecution({ executionId = '', jobId, capabilityId, leaseToken = '' }: Offered): HeldExecution {
  return {
    ...{ executionId, jobId, capability: capabilityId, leaseToken, phase: 'offered' },
    ...{ unacknowledged: [], seq: 0, cancelled: false, announcedAt: undefined },
  };
}

export function createModelHoldings(listener: ModelRunnerListener): ModelHoldings {
  const all = new Map<string, HeldExecution>();
  return {
    all,
    begun: () => [...all.values()].filter(({ phase }) => phase === 'running' || phase === 'ended'),
    voidClaims() {
      for (const { executionId, phase } of [...all.values()])
        if (phase === 'offered' || phase === 'claimed') all.delete(executionId);
    },
    offer(request) {
      const known = all.get(request.executionId ?? '');
      if (known === undefined) all.set(request.executionId ?? '', newExecution(request));
      return known;
    },
    confirm(executionId, code) {
      const execution = all.get(executionId);
      if (execution?.phase !== 'claimed') return;
      if (code !== undefined) return void all.delete(executionId);
      execution.phase = 'running';
      listener.began(execution);
      if (execution.capability === 'writes') listener.wrote(execution);
    },
    acknowledge(executionId, { seq, code }) {
      const execution = all.get(executionId);
      if (execution === undefined) return;
      if (code !== undefined) return void all.delete(executionId);
      const passed = pass(execution, seq);
      if (passed.some((event) => event.seq === execution.announcedAt)) listener.wrote(execution);
      const end = passed.find(({ type }) => TERMINAL.has(type));
      if (end === undefined) return;
      all.delete(executionId);
      listener.acknowledged(execution, end);
    },
    cancel(executionId) {
      const execution = all.get(executionId);
      if (execution !== undefined) execution.cancelled = true;
    },
    add: addEvent,
  };
}
