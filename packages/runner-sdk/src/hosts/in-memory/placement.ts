import { DEFAULTS, type RunnerCapability } from '@controlplane/contracts';
import { takeBack } from './attempt-endings.js';
import type { Attempt, Job, KnownRunner, Plane } from './plane.js';

function capabilityOf({ registration }: KnownRunner, job: Job): RunnerCapability | undefined {
  return registration.capabilities.find(({ id }) => id === job.capabilityId);
}

function hasRoom(plane: Plane, runner: KnownRunner, capability: RunnerCapability): boolean {
  const { registration, attempts, isConnected, isDraining, lastSeenMs, quietUntilMs } = runner;
  const nowMs = plane.clock.elapsed();
  const silentMs = plane.heartbeatIntervalMs * (DEFAULTS.missedHeartbeats + DEFAULTS.heartbeatJitter * 3);
  if (!isConnected || isDraining || nowMs < quietUntilMs || nowMs - lastSeenMs > silentMs) return false;
  const ofCapability = [...attempts].filter((attempt) => attempt.capability.id === capability.id).length;
  return (
    attempts.size < (registration.maxConcurrency ?? DEFAULTS.runnerSlots) &&
    ofCapability < capability.maxConcurrency
  );
}

/** The runner with the fewest executions among those that have a slot. */
function chooseRunner(plane: Plane, job: Job): KnownRunner | undefined {
  const fit = [...plane.runners.values()].filter((runner) => {
    const capability = capabilityOf(runner, job);
    return capability !== undefined && hasRoom(plane, runner, capability);
  });
  return fit.sort((a, b) => a.attempts.size - b.attempts.size)[0];
}

function offer(plane: Plane, job: Job, runner: KnownRunner): void {
  const capability = capabilityOf(runner, job);
  if (!capability) return;
  const executionId = `${job.id}.${++job.offers}`;
  const timeoutMs = job.timeoutMs ?? capability.timeoutMs;
  const attempt: Attempt = {
    executionId,
    leaseToken: `lease-${executionId}-${Math.floor(plane.random() * 2 ** 32).toString(36)}`,
    job,
    runner,
    capability,
    phase: 'offered',
    lastSeq: -1,
    isWriting: false,
    startedMs: 0,
    timeoutMs,
    leaseUntilMs: 0,
    timer: plane.clock.setTimeout(() => takeBack(plane, attempt), DEFAULTS.offerMs),
    deadlineTimer: undefined,
  };
  job.current = attempt;
  plane.attempts.set(executionId, attempt);
  runner.attempts.add(attempt);
  const execution = {
    jobId: job.id,
    moduleId: runner.registration.name,
    capabilityId: job.capabilityId,
    payload: job.input,
    ...(job.brought.files === undefined ? {} : { files: job.brought.files }),
    metadata: job.metadata,
    timeoutMs,
    executionId,
    attempt: job.attempts + 1,
    leaseToken: attempt.leaseToken,
    instanceId: runner.instanceId,
    ...(job.checkpoint === undefined ? {} : { checkpoint: job.checkpoint }),
  };
  runner.send({ type: 'offers', executions: [execution] });
}

/** Offers what waits to who has a slot, in the order of the queue. */
export function placeQueued(plane: Plane): void {
  for (const job of [...plane.queue]) {
    const place = plane.queue.indexOf(job);
    // An offer whose message cuts the link puts jobs back and places what waits, before the next is looked at here.
    const runner = place === -1 ? undefined : chooseRunner(plane, job);
    if (!runner) continue;
    plane.queue.splice(place, 1);
    offer(plane, job, runner);
  }
}
