/**
 * @module
 * One capability file, one runner, three deliveries: the same behaviours must show over each. JobForge and runner are
 * real and speak over real sockets; a gate in between can cut what passes.
 */
import { createJobForge, type JobForge, type JobForgeOptions, type JobHandle } from '@controlplane/jobforge';
import { createRunner, type Runner, type RunnerOptions } from '@controlplane/runner-sdk';
import { createCapabilities, type Acts } from './capabilities.js';
import { freePort } from '../end-to-end/processes.js';
import { openGate, type Gate } from './gate.js';

export type DeliveryKind = 'push' | 'websocket' | 'long-poll';

type JobInput = Parameters<JobForge['submit']>[0];
type SubmitOptions = Omit<JobInput, 'capability' | 'input'>;

/** Times that let a test see in milliseconds what takes seconds in earnest, and that a busy machine keeps. */
const LIMITS = {
  heartbeatIntervalMs: 1_000,
  leaseMs: 10_000,
  offerMs: 5_000,
  cancelGraceMs: 300,
  overdueMs: 1_000,
} as const;

/** Times in which a runner that is cut off is given up while a test waits for that. */
export const SOON_LOST = { heartbeatIntervalMs: 500, leaseMs: 1_000 } as const;

type StageOptions = Partial<JobForgeOptions>;

/** Opens a stage of a test's own. */
export type OpenStage = (limits?: StageOptions['limits']) => Promise<Stage>;

/** A JobForge, the runners that a test starts, and what their handlers do. */
export interface Stage {
  readonly delivery: DeliveryKind;
  readonly forge: JobForge;
  readonly acts: Acts;
  submit(capability: string, input?: Record<string, unknown>, more?: SubmitOptions): Promise<JobHandle>;
  /** Starts a runner and waits until it is ready. */
  runner(options?: Partial<RunnerOptions>): Promise<Runner>;
  /** A runner whose bytes to and from JobForge pass a gate. */
  gatedRunner(options?: Partial<RunnerOptions>): Promise<{ runner: Runner; gate: Gate }>;
  close(): Promise<void>;
}

let nextRunner = 0;

function runnerOptions(delivery: DeliveryKind, acts: Acts, controlPlaneUrl: string): RunnerOptions {
  nextRunner += 1;
  const name = `stage-${nextRunner}`;
  return {
    name,
    version: '1.0.0',
    machineId: name,
    capabilities: createCapabilities(acts),
    controlPlaneUrl,
    delivery,
    ...(delivery === 'push' && { port: 0 }),
    logger: false,
    handleSignals: false,
    cancelGraceMs: 200,
    watchdog: false,
  };
}

/** Opens the stage. */
export async function openStage(
  delivery: DeliveryKind,
  acts: Acts,
  options: StageOptions = {},
): Promise<Stage> {
  const forge = await createJobForge({
    store: 'memory',
    listen: { port: 0 },
    ...options,
    limits: { ...LIMITS, ...options.limits },
  }).start();
  const url = String(forge.url);
  const runners: Runner[] = [];
  const gates: Gate[] = [];

  const start = async (given: RunnerOptions): Promise<Runner> => {
    const runner = createRunner(given);
    runners.push(runner);
    await runner.start();
    await runner.ready({ signal: AbortSignal.timeout(10_000) });
    return runner;
  };

  return {
    delivery,
    forge,
    acts,
    submit: (capability, input = {}, more = {}) =>
      forge.submit({ retryPolicy: { maxRetries: 0 }, ...more, capability, input }),
    runner: (given = {}) => start({ ...runnerOptions(delivery, acts, url), ...given }),
    async gatedRunner(given = {}) {
      const port = delivery === 'push' ? await freePort() : Number(new URL(url).port);
      const gate = await openGate(port);
      gates.push(gate);
      const behind =
        delivery === 'push'
          ? { ...runnerOptions(delivery, acts, url), port, publicUrl: gate.url }
          : runnerOptions(delivery, acts, gate.url);
      const runner = await start({ ...behind, ...given });
      return { runner, gate };
    },
    async close() {
      for (const gate of gates) gate.open();
      await Promise.all(runners.map((runner) => runner.stop({ drainMs: 1 })));
      await forge.stop({ drainMs: 1 });
      await Promise.all(gates.map((gate) => gate.close()));
    },
  };
}
