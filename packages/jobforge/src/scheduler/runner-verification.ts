import {
  isTerminalEvent,
  type RunnerVerification,
  type RunnerVerificationStep,
} from '@controlplane/contracts';
import { toRunnerMetadata } from './runner-entry.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { newId, newLeaseToken } from './new-id.js';

/** Not a capability that a runner has: asked for it, it answers without running anything. */
export const PROBE_CAPABILITY = 'jobforge.verify';

/** Longest wait for the answer to the probe, beyond the time that a runner has to accept. */
const ANSWER_MS = 5_000;

type Found = Omit<RunnerVerificationStep, 'name' | 'durationMs'>;

const good = (message: string): Found => ({ ok: true, message });
const bad = (message: string): Found => ({ ok: false, message });

/** Answers that say "not now": the way there and back is as it should be. */
const NOT_NOW: ReadonlySet<string> = new Set(['RUNNER_BUSY', 'RUNNER_DRAINING']);

function afterFailure(code: string): Found {
  if (code === 'CAPABILITY_NOT_FOUND') return good('refused what it does not offer');
  if (NOT_NOW.has(code)) return good(`answered ${code}: it takes nothing now`);
  if (code === 'INSTANCE_MISMATCH' || code === 'SIGNATURE_INVALID')
    return bad(`answered ${code}: another process, or one with another key, answers at its address`);
  // Older runners know no code for it: that they refused is what counts.
  return good(`refused what it does not offer (${code})`);
}

function checkConnection({ clock }: LiveState, entry: RunnerEntry): Found {
  const { status } = toRunnerMetadata(entry);
  const ago = Math.max(0, clock.now() - entry.lastSeenAt);
  const kind = entry.registration.delivery?.kind ?? 'push';
  if (!entry.connected || entry.leaving)
    return bad(`${kind}: it is not connected; last heard of ${ago} ms ago`);
  return good(`${kind}, ${status}, heard of ${ago} ms ago`);
}

async function checkHealth({ link }: RunnerEntry): Promise<Found> {
  const status = await link.probe();
  if (status === undefined) return bad('it does not answer');
  return status === 'alive' ? good('it is there') : good(`says that it is ${status}`);
}

function bodyOf(entry: RunnerEntry, { executionId, token }: { executionId: string; token: string }): string {
  const { instanceId } = entry.registration;
  return JSON.stringify({
    ...{ jobId: executionId, moduleId: entry.name, capabilityId: PROBE_CAPABILITY, payload: {} },
    ...{ timeoutMs: ANSWER_MS, metadata: {}, executionId, attempt: 1, leaseToken: token },
    ...(entry.link.canReattach && instanceId !== undefined ? { instanceId } : {}),
  });
}

/** Hands the runner an execution over the link that carries all others, and waits for its end. */
function checkExecution(state: LiveState, entry: RunnerEntry): Promise<Found> {
  const { link } = entry;
  const executionId = newId();
  const token = newLeaseToken();
  const waitMs = state.limits.offerMs + ANSWER_MS;
  return new Promise((resolve) => {
    const settle = (found: Found): void => {
      stop();
      state.probes.delete(executionId);
      resolve(found);
    };
    const stop = state.clock.after(waitMs, () => {
      link.cancel(executionId, { reason: 'deadline', leaseToken: token });
      link.forget(executionId);
      settle(bad(`no answer within ${waitMs} ms`));
    });
    const listener = {
      onEvent: (event: Parameters<typeof isTerminalEvent>[0]): void => {
        if (!isTerminalEvent(event)) return;
        if (event.type === 'failed') return settle(afterFailure(event.error.code));
        settle(bad(`it ran ${PROBE_CAPABILITY}, which it does not offer: ${event.type}`));
      },
      onFailure: (failure: Parameters<Parameters<typeof link.dispatch>[1]['onFailure']>[0]): void => {
        if (failure.kind === 'refused') return settle(afterFailure(failure.code));
        settle(bad(failure.kind === 'protocol' ? failure.error.message : failure.message));
      },
    };
    state.probes.set(executionId, { token, listener });
    link.dispatch({ executionId, body: bodyOf(entry, { executionId, token }) }, listener);
    link.flush();
  });
}

/** Probes a runner through the whole path: whether it is connected, answers, and refuses what it does not offer. */
export async function verifyRunner(state: LiveState, entry: RunnerEntry): Promise<RunnerVerification> {
  const checks = {
    connection: async () => checkConnection(state, entry),
    health: () => checkHealth(entry),
    execution: () => checkExecution(state, entry),
  };
  const steps: RunnerVerificationStep[] = [];
  for (const name of ['connection', 'health', 'execution'] as const) {
    const before = state.clock.now();
    const found = await checks[name]();
    steps.push({ name, ...found, durationMs: Math.max(0, state.clock.now() - before) });
    if (!found.ok) break;
  }
  return { runnerId: entry.id, ok: steps.every(({ ok }) => ok), steps };
}
