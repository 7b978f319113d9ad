import { randomUUID } from 'node:crypto';
import {
  CONTRACT_VERSION_CURRENT,
  type RunnerFeature,
  type RunnerManifest,
  type RunnerRegistrationRequest,
} from '@controlplane/contracts';
import { describeCapability } from '../capability/capability-manifest.js';
import { createCapabilityRegistry } from '../capability/capability-registry.js';
import { createSlots } from '../execution/admission.js';
import { createExecutor } from '../execution/executor.js';
import { createControlPlaneClient } from '../hosts/control-plane/client.js';
import { createPushDelivery } from '../hosts/control-plane/push-delivery.js';
import { createRunnerRouter } from '../hosts/control-plane/runner-router.js';
import { createHttpClient } from '../transport/http-client.js';
import { systemClock } from '../util/clock.js';
import { createJsonLogger, guardLogger, silentLogger, type Logger } from '../util/logger.js';
import { createControlPlaneSession } from './control-plane-session.js';
import { createHealth } from './health.js';
import { resolveOptions, type ResolvedOptions, type RunnerOptions } from './options.js';
import { createRunnerState } from './runner-state.js';

const FEATURES: readonly RunnerFeature[] = ['ndjson', 'batch', 'cancel'];

function loggerOf({ logger }: RunnerOptions, { logLevel, name }: ResolvedOptions): Logger {
  return logger === false ? silentLogger : guardLogger(logger ?? createJsonLogger({ level: logLevel, name }));
}

function registrationOf(
  { tags, labels, machineId, buildId }: ResolvedOptions,
  known: { readonly manifest: RunnerManifest; readonly url: string | undefined; readonly instanceId: string },
): RunnerRegistrationRequest {
  return {
    ...known.manifest,
    healthCheckEndpoint: `${known.url}/health`,
    delivery: { kind: 'push', executeUrl: `${known.url}/execute` },
    instanceId: known.instanceId,
    tags: [...tags],
    labels: { ...labels },
    platform: { os: process.platform, arch: process.arch, runtime: `node ${process.versions.node}` },
    ...(machineId === undefined ? {} : { machineId }),
    ...(buildId === undefined ? {} : { buildId }),
  };
}

/** Makes the parts of one runner and wires them together: the only place that knows both sides. */
export function joinParts(options: RunnerOptions) {
  const resolved = resolveOptions(options);
  const { name, version, maxConcurrency, maxBodyBytes, maxLogBytes, cancelGraceMs } = resolved;
  const clock = options.clock ?? systemClock;
  const logger = loggerOf(options, resolved);
  const registry = createCapabilityRegistry(options.capabilities);
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
  const address = { url: undefined as string | undefined };
  const instanceId = randomUUID();

  const describe = () => registrationOf(resolved, { manifest, url: address.url, instanceId });
  const executor = createExecutor({
    registry,
    slots: createSlots(maxConcurrency),
    service: name,
    clock,
    logger,
    limits: { maxLogBytes, cancelGraceMs },
    runnerId: () => session.runnerId,
    instanceId,
  });
  const { controlPlaneUrl } = resolved;
  const http = createHttpClient({ baseUrl: controlPlaneUrl, timeoutMs: 10_000, fetch: options.fetch });
  const session = createControlPlaneSession({
    client: createControlPlaneClient(http),
    controlPlaneUrl,
    state,
    health,
    clock,
    random: options.random ?? Math.random,
    logger,
    instanceId,
    describe,
    running: executor.running,
    cancel: executor.cancel,
  });
  const execute = createPushDelivery({ run: executor.run, service: name, maxBodyBytes });
  const router = createRunnerRouter({
    service: name,
    maxBodyBytes,
    execute,
    cancel: executor.cancel,
    health: health.check,
    live: () => ({ ok: true, reasons: [] }),
    ready: () => ({ ok: session.reasons().length === 0, reasons: session.reasons() }),
    manifest: () => manifest,
  });
  return { resolved, logger, manifest, state, address, executor, session, execute, router };
}
