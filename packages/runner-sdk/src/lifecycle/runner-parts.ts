import { randomUUID } from 'node:crypto';
import { CONTRACT_VERSION_CURRENT, type RunnerFeature, type RunnerManifest } from '@controlplane/contracts';
import { describeCapability } from '../capability/capability-manifest.js';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import { createSlots } from '../execution/admission.js';
import { combineObservers } from '../execution/execution-observer.js';
import { createExecutor, type Executor } from '../execution/executor.js';
import { isolateCapabilities } from '../execution/isolation/isolate-capabilities.js';
import { controlPlane } from '../hosts/control-plane/control-plane.js';
import { createPushDelivery } from '../hosts/control-plane/push-delivery.js';
import { createRunnerRouter } from '../hosts/control-plane/runner-router.js';
import { systemClock } from '../util/clock.js';
import { createJsonLogger, guardLogger, silentLogger, type Logger } from '../util/logger.js';
import { createBatchMode } from './batch-mode.js';
import { createHealth, type Health } from './health.js';
import { attachHosts, type HostSessions } from './host-sessions.js';
import { createHostedRunner, type RunnerAddress } from './hosted-runner.js';
import { createObservation, type Observation } from './observation.js';
import { resolveOptions, type ResolvedOptions } from './options.js';
import type { RunnerOptions } from './runner-options.js';
import { createRunnerState, type RunnerStateHolder } from './runner-state.js';
import { machineIdOf } from './state-directory.js';

const FEATURES: readonly RunnerFeature[] = ['ndjson', 'batch', 'cancel', 'files'];

function loggerOf({ logger }: RunnerOptions, { logLevel, name }: ResolvedOptions): Logger {
  return logger === false ? silentLogger : guardLogger(logger ?? createJsonLogger({ level: logLevel, name }));
}

/** Whom the runner works for, and what it makes of its own to be known there. */
function hostsOf(options: RunnerOptions, { delivery, machineId, stateDirectory }: ResolvedOptions) {
  const hosts = options.hosts ?? [controlPlane({ delivery })];
  const dialsIn = hosts.some(({ listens }) => !listens);
  return { hosts, machineId: machineId ?? (dialsIn ? machineIdOf(stateDirectory) : undefined) };
}

/** What the options come to: whose work it does, with what, and what it publishes. */
function planOf(options: RunnerOptions) {
  const resolved = resolveOptions(options);
  const { name, version, maxConcurrency, cancelGraceMs } = resolved;
  const { hosts, machineId } = hostsOf(options, resolved);
  const clock = options.clock ?? hosts.find((host) => host.clock)?.clock ?? systemClock;
  const logger = loggerOf(options, resolved);
  const isolation = isolateCapabilities(options.capabilities, {
    slots: maxConcurrency,
    cancelGraceMs,
    clock,
  });
  const registry = createCapabilityRegistry(isolation.capabilities, options.use);
  const manifest: RunnerManifest = {
    name,
    version,
    contractVersion: CONTRACT_VERSION_CURRENT,
    capabilities: registry.list().map((capability) => describeCapability(capability, maxConcurrency)),
    maxConcurrency,
    features: [...FEATURES],
  };
  return { resolved, hosts, machineId, clock, logger, isolation, registry, manifest };
}

/** What the runner's endpoints answer from. */
interface EndpointParts {
  readonly resolved: ResolvedOptions;
  readonly manifest: RunnerManifest;
  readonly executor: Executor;
  readonly sessions: HostSessions;
  readonly health: Health;
  readonly observation: Observation;
  readonly state: RunnerStateHolder;
}

function endpointsOf({ resolved, manifest, executor, sessions, health, observation, state }: EndpointParts) {
  const { name: service, maxBodyBytes } = resolved;
  const { run = executor.run, verify } = sessions.pushed?.push ?? {};
  const execute = createPushDelivery({
    run,
    verify,
    service,
    maxBodyBytes,
  });
  const router = createRunnerRouter({
    service,
    maxBodyBytes,
    execute,
    cancel: executor.cancel,
    verify,
    health: health.check,
    live: () => ({ ok: true, reasons: [] }),
    ready: () => ({ ok: sessions.reasons().length === 0, reasons: sessions.reasons() }),
    manifest: () => manifest,
    status: observation.status({
      executions: executor.executions,
      state: () => state.current,
      reasons: sessions.reasons,
      drainEndsAt: executor.drainEndsAt,
      hosts: sessions.statuses,
    }),
  });
  return { execute, router };
}

/** Makes the parts of one runner and wires them together: the only place that knows both sides. */
export function joinParts(options: RunnerOptions) {
  const plan = planOf(options);
  const { resolved, hosts, clock, logger, registry } = plan;
  const { name, version, maxConcurrency, maxLogBytes, cancelGraceMs } = resolved;
  const state = createRunnerState();
  const health = createHealth({ service: name, version, checks: options.healthChecks ?? {}, clock });
  const nothing = (): void => undefined;
  const address: RunnerAddress = { url: undefined, drain: nothing, refused: nothing, over: nothing };
  const batch = createBatchMode(resolved, clock, (end) => address.over(end));
  const instanceId = randomUUID();
  const slots = createSlots(maxConcurrency, batch.left);
  const observation = createObservation({
    choices: options,
    name,
    version,
    instanceId,
    clock,
    logger,
    slots,
  });
  const running = createExecutor({
    registry,
    slots,
    service: name,
    clock,
    logger,
    limits: { maxLogBytes, cancelGraceMs },
    runnerId: () => sessions.runnerId,
    instanceId,
    observer: combineObservers([...observation.observers, batch.observer]),
  });
  const executor: Executor = {
    ...running,
    abort() {
      running.abort();
      // The process may end next: a handler that blocks would go on without it.
      void plan.isolation.close();
    },
  };
  const parts = { ...plan, instanceId, executor, slots, health, observation, state, address };
  const { fetch, random = Math.random } = options;
  const runnerFor = (followStates: () => void) =>
    createHostedRunner({ ...parts, random, fetch }, () => {
      followStates();
      if (state.current !== 'created') observation.hostsChanged(sessions.statuses());
      if (state.current === 'refused') address.refused();
    });
  const sessions = attachHosts({ hosts, state, runnerFor });
  return { ...parts, batch, sessions, ...endpointsOf({ ...parts, sessions }) };
}

/** Everything that one runner is made of. */
export type RunnerParts = ReturnType<typeof joinParts>;
