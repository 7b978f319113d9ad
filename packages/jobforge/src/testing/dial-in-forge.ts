import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { dial, type DialInRunner } from './dial-in-runner.js';
import { openForges, type TestForge } from './open-forge.js';

/** What tests of runners that dial in open, closed after each. */
export interface DialInForge extends TestForge {
  /** A JobForge that listens on a free port. */
  listening(options?: JobForgeOptions): Promise<JobForge & { readonly url: string }>;
  /** A socket of a runner that has not registered. */
  socket(url: string, options?: Parameters<typeof dial>[1]): Promise<DialInRunner>;
  /** A runner that has registered over its socket. */
  dialIn(url: string, overrides?: Record<string, unknown>): Promise<DialInRunner>;
}

export function openDialIns(): DialInForge {
  const test = openForges();
  const dialled: DialInRunner[] = [];
  const socket: DialInForge['socket'] = async (url, options) => {
    const runner = await dial(url, options);
    dialled.push(runner);
    return runner;
  };
  return {
    ...test,
    async listening(options = {}) {
      const forge = await test.forge({ listen: { port: 0 }, ...options });
      return { ...forge, url: forge.url ?? '' };
    },
    socket,
    async dialIn(url, overrides) {
      const runner = await socket(url);
      await runner.register(overrides);
      return runner;
    },
    async close() {
      for (const runner of dialled.splice(0)) runner.cut();
      await test.close();
    },
  };
}
