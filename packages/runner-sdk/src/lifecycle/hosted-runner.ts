import type { RunnerManifest } from '@controlplane/contracts';
import type { Slots } from '../execution/admission.js';
import type { Executor } from '../execution/executor.js';
import type { HostedRunner, RunnerDescription } from '../hosts/host.js';
import { createStateFiles } from '../hosts/state-files.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { BatchEnd } from './batch-mode.js';
import type { Health } from './health.js';
import type { Observation } from './observation.js';
import type { ResolvedOptions } from './options.js';
import type { RunnerStateHolder } from './runner-state.js';

/** What is known only once the runner is put together. */
export interface RunnerAddress {
  /** Where its endpoints are reached; undefined while it serves none. */
  url: string | undefined;
  /** Makes it drain and stop. */
  drain: (reason: string) => void;
  /** Every host has refused it for good. */
  refused: () => void;
  /** It has done its part. */
  over: (end: BatchEnd) => void;
}

/** The parts of a runner that its hosts are given. */
export interface HostedRunnerParts {
  readonly resolved: ResolvedOptions;
  readonly manifest: RunnerManifest;
  readonly instanceId: string;
  readonly machineId: string | undefined;
  readonly executor: Executor;
  readonly slots: Slots;
  readonly health: Health;
  readonly observation: Observation;
  readonly state: RunnerStateHolder;
  readonly address: RunnerAddress;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch | undefined;
}

function describe({ resolved, manifest, instanceId, machineId }: HostedRunnerParts): RunnerDescription {
  const { tags, labels, buildId } = resolved;
  return {
    ...manifest,
    instanceId,
    tags: [...tags],
    labels: { ...labels },
    platform: { os: process.platform, arch: process.arch, runtime: `node ${process.versions.node}` },
    ...(machineId === undefined ? {} : { machineId }),
    ...(buildId === undefined ? {} : { buildId }),
  };
}

/** Makes the runner as its hosts see it. */
export function createHostedRunner(parts: HostedRunnerParts, changed: () => void): HostedRunner {
  const { resolved, manifest, instanceId, executor, slots, state, address, observation } = parts;
  const { stateDirectory, controlPlaneUrl, credential } = resolved;
  return {
    manifest,
    instanceId,
    describe: () => describe(parts),
    execute: executor.execute,
    run: executor.run,
    cancel: executor.cancel,
    running: executor.running,
    slots: () => ({ used: slots.taken, total: slots.taken + slots.free }),
    onSlotFreed: slots.onFreed,
    health: parts.health,
    vitals: observation.vitals,
    url: () => address.url,
    maxBodyBytes: resolved.maxBodyBytes,
    isDraining: () => state.current === 'draining' || state.current === 'stopped',
    changed,
    drain: (reason) => address.drain(reason),
    drainMs: resolved.drainMs,
    standIn: observation.standIn,
    state: stateDirectory === undefined ? undefined : createStateFiles(stateDirectory),
    logger: parts.logger,
    clock: parts.clock,
    random: parts.random,
    fetch: parts.fetch,
    defaults: { controlPlaneUrl, credential },
  };
}
