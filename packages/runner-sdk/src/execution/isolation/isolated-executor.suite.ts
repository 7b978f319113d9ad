import type { ExecutionEvent } from '@controlplane/contracts';
import { onTestFinished } from 'vitest';
import { createCapabilityRegistry } from '../../capability/capability-registry.js';
import type { Capability } from '../../capability/capability.js';
import { createSlots } from '../admission.js';
import type { ExecutionRequest, FileCarrier } from '../execute.js';
import { createExecutor, type ExecutorLimits } from '../executor.js';
import { isolateCapabilities } from './isolate-capabilities.js';
// @ts-expect-error a module of the tests, in JavaScript: threads and processes load it as it is
import { inProcess, inThread, parsingInProcess, parsingInThread } from './isolated-capabilities.fixture.mjs';

/** The same capability, isolated in both ways. */
export const CAPABILITIES = { thread: inThread as Capability, process: inProcess as Capability };
/** One that parses what it is given into what no clone carries, and answers with a Date. */
export const PARSING = { thread: parsingInThread as Capability, process: parsingInProcess as Capability };
/** What is read of a file of the job, whichever. */
export const BROUGHT = 'one,two';
export const WRONG_SHA256 = 'f'.repeat(64);

export type Kind = keyof typeof CAPABILITIES;

/** An executor of one isolated capability. */
export function createIsolated(
  kind: Kind,
  options: { slots?: number; limits?: Partial<ExecutorLimits> } = {},
) {
  const { slots = 2, limits = {} } = options;
  const isolation = isolateCapabilities([CAPABILITIES[kind], PARSING[kind]], {
    slots,
    cancelGraceMs: limits.cancelGraceMs ?? 10_000,
  });
  onTestFinished(() => isolation.close());
  const executor = createExecutor({
    registry: createCapabilityRegistry(isolation.capabilities),
    slots: createSlots(slots),
    service: 'fixture',
    limits,
  });
  let next = 0;
  /** What was left, each as latin1. */
  const left: string[] = [];
  const files: FileCarrier = {
    /** Of a wrong hash another text is given. */
    async *open(_request, { sha256 }) {
      yield Buffer.from(sha256 === WRONG_SHA256 ? 'another' : BROUGHT);
    },
    async put({ jobId, executionId }, { name, contentType, read }) {
      const pieces: Uint8Array[] = [];
      for await (const piece of read()) pieces.push(piece);
      const content = Buffer.concat(pieces);
      left.push(content.toString('latin1'));
      const about = { name, jobId, executionId, contentType, sha256: '0'.repeat(64) };
      return { ...about, bytes: content.length, createdAt: new Date().toISOString() };
    },
  };
  const start = (payload: Record<string, unknown>, more: Partial<ExecutionRequest> = {}) => {
    const events: ExecutionEvent[] = [];
    const id = `e-${next++}`;
    const heard = new Map<string, () => void>();
    const base = { jobId: 'j', moduleId: 'm', metadata: {}, attempt: 1 };
    const request = { ...base, executionId: id, capabilityId: `isolated.${kind}`, payload, ...more };
    const ended = new Promise<ExecutionEvent>((resolve) => {
      const onEvent = (event: ExecutionEvent): void => {
        events.push(event);
        if (event.type === 'log') heard.get(event.message.split(' ')[0] ?? '')?.();
        if (['succeeded', 'failed', 'cancelled'].includes(event.type)) resolve(event);
      };
      executor.run(request, onEvent, { files });
    });
    const says = (word: string) => new Promise<void>((resolve) => heard.set(word, resolve));
    return { id, events, ended, says };
  };
  return { isolation, executor, start, left };
}

export const dataOf = (event: ExecutionEvent): Record<string, unknown> =>
  (event as { data?: Record<string, unknown> }).data ?? {};
