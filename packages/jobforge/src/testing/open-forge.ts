import { createJobForge, type JobForge } from '../control-plane.js';
import { systemClock } from '../model/clock.js';
import type { JobForgeOptions } from '../options.js';
import { startStubRunner, type StubOptions, type StubRunner } from './stub-runner.js';

/** What one test opens, closed after it. */
export interface TestForge {
  forge(options?: JobForgeOptions): Promise<JobForge>;
  runner(options: StubOptions): Promise<StubRunner>;
  /** A JobForge with one registered runner. */
  pair(
    options: StubOptions & Pick<JobForgeOptions, 'limits' | 'clock'>,
  ): Promise<{ forge: JobForge; runner: StubRunner; runnerId: string }>;
  close(): Promise<void>;
}

export function openForges(): TestForge {
  const opened: (() => Promise<void>)[] = [];
  const test: TestForge = {
    async forge(options = {}) {
      const forge = await createJobForge({ store: 'memory', listen: false, ...options }).start();
      opened.push(async () => void (await forge.stop({ drainMs: 0 })));
      return forge;
    },
    async runner(options) {
      const runner = await startStubRunner(options);
      opened.push(() => runner.close());
      return runner;
    },
    async pair({ limits = {}, clock = systemClock, ...options }) {
      const forge = await test.forge({ limits, clock });
      const runner = await test.runner(options);
      const { runnerId } = await forge.operations.registerRunner(runner.registration());
      return { forge, runner, runnerId };
    },
    async close() {
      for (const close of opened.splice(0).reverse()) await close();
    },
  };
  return test;
}
