import type { JobSubmission } from '@controlplane/contracts';
import { createApiServer, type ApiServer } from './api/server.js';
import { bringFiles } from './embedded/bring-files.js';
import { createJobHandle, toSubmission, type JobHandle, type JobInput } from './embedded/job-handle.js';
import { openDoors } from './doors/open-doors.js';
import { systemClock, type Clock } from './model/clock.js';
import type { Operations } from './model/operations.js';
import { resolveOptions, type JobForgeOptions, type ResolvedOptions } from './options.js';
import { createFileRooms } from './files/file-rooms.js';
import { createEngine, type Engine } from './scheduler/engine.js';
import { createPruner, type Pruner } from './scheduler/pruner.js';
import { CHAINS } from './scheduler/trail-operations.js';
import { openStore } from './store/open-store.js';

/** A running control plane. */
export interface JobForge {
  /** Where the HTTP API answers; undefined with `listen: false`. */
  readonly url: string | undefined;
  /** Everything that the HTTP API can be asked, as functions. */
  readonly operations: Operations;
  /** Submits a job. Resolves once it is on disk. */
  submit(input: JobInput): Promise<JobHandle>;
  /** A job that was submitted before. Nothing is read until the handle is used. */
  job(id: string): JobHandle;
  /** Executions that have not ended: offered to a runner, or running there. */
  readonly running: number;
  /**
   * Takes nothing new, lets running executions end within `drainMs` (default 25 s), stores everything and closes.
   * @returns how many had not ended: they are handed back, and the next start on the same store takes them up
   */
  stop(options?: { readonly drainMs?: number }): Promise<{ readonly handedBack: number }>;
}

/** A control plane that has not been started. */
export interface StoppedJobForge {
  /** Opens the store, takes up what had not ended, and listens. Rejects with what prevents that. */
  start(): Promise<JobForge>;
}

async function listen(
  { operations, gate }: Engine,
  { listen: where, accept, log }: ResolvedOptions,
  clock: Clock,
): Promise<{ server: ApiServer; url: string } | undefined> {
  if (where === false) return undefined;
  const doors = openDoors(accept, { operations, gate, clock, log });
  const server = createApiServer({ ...where, operations, gate, doors, log });
  const { url } = await server.listen();
  return { server, url };
}

function running(
  { engine, pruner }: { readonly engine: Engine; readonly pruner: Pruner },
  options: ResolvedOptions,
  api: { server: ApiServer; url: string } | undefined,
): JobForge {
  const { operations } = engine;
  let stopping: Promise<{ readonly handedBack: number }> | undefined;
  const stop = async (drainMs: number): Promise<{ readonly handedBack: number }> => {
    await engine.drain(drainMs);
    const handedBack = engine.running();
    await api?.server.close();
    pruner.stop();
    await engine.stop();
    return { handedBack };
  };
  return {
    url: api?.url,
    operations,
    get running() {
      return engine.running();
    },
    async submit(input) {
      const { files } = input;
      // What is wrong with the rest is told before anything is read.
      const plain: JobSubmission = toSubmission(input);
      const submission =
        files === undefined ? plain : toSubmission(input, await bringFiles(operations, files));
      const { job } = await operations.submitJob(submission);
      return createJobHandle(operations, job.id);
    },
    job: (id) => createJobHandle(operations, id),
    stop: ({ drainMs = options.limits.drainMs } = {}) => (stopping ??= stop(drainMs)),
  };
}

/**
 * Makes a control plane.
 * @param options - where it stores and listens; see {@link JobForgeOptions}
 * @returns it, not started yet
 * @throws TypeError when an option cannot be understood
 */
export function createJobForge(options: JobForgeOptions = {}): StoppedJobForge {
  const resolved = resolveOptions(options);
  const { place, durability, limits, retention, rateLimits, access, vault, log } = resolved;
  const allowPrivateWebhooks = resolved.webhooks.allowPrivate;
  const files = createFileRooms(resolved.files);
  const { clock = systemClock, random = Math.random } = options;
  return {
    async start() {
      const store = await openStore(place, durability);
      const engine = createEngine({
        ...{ store, limits, clock, random, access, log, rateLimits, vault, files, allowPrivateWebhooks },
      });
      const sweep = engine.sweepFiles;
      const pruner = createPruner({ store, chains: CHAINS, sweep, clock, log, retention });
      try {
        await engine.start();
        pruner.start();
        return running({ engine, pruner }, resolved, await listen(engine, resolved, clock));
      } catch (error) {
        pruner.stop();
        await engine.stop();
        throw error;
      }
    },
  };
}
