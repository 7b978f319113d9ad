import { randomUUID } from 'node:crypto';
import { CONTRACT_VERSION_CURRENT, type RunnerFeature, type RunnerManifest } from '@controlplane/contracts';
import { describeCapability } from '../capability/capability-manifest.js';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import { createSlots } from '../execution/admission.js';
import { createExecutor } from '../execution/executor.js';
import { controlPlane } from '../hosts/control-plane/control-plane.js';
import { createPushDelivery } from '../hosts/control-plane/push-delivery.js';
import { createRunnerRouter } from '../hosts/control-plane/runner-router.js';
import type { HostedRunner, RunnerDescription } from '../hosts/host.js';
import { systemClock } from '../util/clock.js';
import { createJsonLogger, guardLogger, silentLogger, type Logger } from '../util/logger.js';
import { createHealth } from './health.js';
import { attachHosts } from './host-sessions.js';
import { createObservation } from './observation.js';
import { resolveOptions, type ResolvedOptions, type RunnerOptions } from './options.js';
import { createRunnerState } from './runner-state.js';

const FEATURES: readonly RunnerFeature[] = ['ndjson', 'batch', 'cancel'];

function loggerOf({ logger }: RunnerOptions, { logLevel, name }: ResolvedOptions): Logger {
  return logger === false ? silentLogger : guardLogger(logger ?? createJsonLogger({ level: logLevel, name }));
}

function describe(
  { tags, labels, machineId, buildId }: ResolvedOptions,
  { manifest, instanceId }: { readonly manifest: RunnerManifest; readonly instanceId: string },
): RunnerDescription {
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

/** What is known only once the runner is put together. */
export interface RunnerAddress {
  /** Where its endpoints are reached. */
  url: string | undefined;
  /** Makes it drain and stop. */
  drain: (reason: string) => void;
}

/** Makes the parts of one runner and wires them together: the only place that knows both sides. */
export function joinParts(options: RunnerOptions) {
  const resolved = resolveOptions(options);
  const { name, version, maxConcurrency, maxBodyBytes, maxLogBytes, cancelGraceMs } = resolved;
  const hosts = options.hosts ?? [controlPlane()];
  const clock = options.clock ?? hosts.find((host) => host.clock)?.clock ?? systemClock;
  const logger = loggerOf(options, resolved);
  const registry = createCapabilityRegistry(options.capabilities, options.use);
  const capabilities = registry.list().map((capability) => describeCapability(capability, maxConcurrency));
  const manifest: RunnerManifest = {
    name,
    version,
    contractVersion: CONTRACT_VERSION_CURRENT,
    capabilities,
    maxConcurrency,
    features: [...FEATURES],
  };
  const state = createRunnerState();
  const health = createHealth({ service: name, version, checks: options.healthChecks ?? {}, clock });
  const address: RunnerAddress = { url: undefined, drain: () => undefined };
  const instanceId = randomUUID();

  const slots = createSlots(maxConcurrency);
  const observation = createObservation({
    choices: options,
    name,
    version,
    instanceId,
    clock,
    logger,
    slots,
  });
  const executor = createExecutor({
    registry,
    slots,
    service: name,
    clock,
    logger,
    limits: { maxLogBytes, cancelGraceMs },
    runnerId: () => sessions.runnerId,
    instanceId,
    observer: observation.observer,
  });
  const runnerFor = (changed: () => void): HostedRunner => ({
    manifest,
    instanceId,
    describe: () => describe(resolved, { manifest, instanceId }),
    execute: executor.execute,
    run: executor.run,
    cancel: executor.cancel,
    running: executor.running,
    slots: () => ({ used: slots.taken, total: slots.max }),
    health,
    vitals: observation.vitals,
    url: () => address.url,
    maxBodyBytes,
    isDraining: () => state.current === 'draining' || state.current === 'stopped',
    changed() {
      changed();
      if (state.current !== 'created') observation.hostsChanged(sessions.statuses());
    },
    drain: (reason) => address.drain(reason),
    drainMs: resolved.drainMs,
    standIn: observation.standIn,
    state: undefined,
    logger,
    clock,
    random: options.random ?? Math.random,
    fetch: options.fetch,
    defaults: { controlPlaneUrl: resolved.controlPlaneUrl, credential: undefined },
  });
  const sessions = attachHosts({ hosts, state, runnerFor });
  const execute = createPushDelivery({
    run: sessions.pushed?.push?.run ?? executor.run,
    service: name,
    maxBodyBytes,
  });
  const router = createRunnerRouter({
    service: name,
    maxBodyBytes,
    execute,
    cancel: executor.cancel,
    health: health.check,
    live: () => ({ ok: true, reasons: [] }),
    ready: () => ({ ok: sessions.reasons().length === 0, reasons: sessions.reasons() }),
    manifest: () => manifest,
    status: observation.status({
      executions: executor.executions,
      state: () => state.current,
      reasons: sessions.reasons,
      hosts: sessions.statuses,
    }),
  });
  return { resolved, logger, manifest, state, address, executor, sessions, execute, router, observation };
}
