import { availableMemory, constrainedMemory } from 'node:process';
import { totalmem } from 'node:os';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { RunnerHeartbeat } from '@controlplane/contracts';

/** How the process is doing, as a heartbeat carries it. */
export type VitalSigns = RunnerHeartbeat['metrics'];

/** Measures the process from one heartbeat to the next. */
export interface Vitals {
  /** What was measured since the last call. */
  read(): VitalSigns;
  /** Measures no more. */
  stop(): void;
}

/** Milliseconds between two looks at the event loop; they are made outside JavaScript and keep no process alive. */
const RESOLUTION_MS = 100;

/** Shares of a processor mean nothing over less time than this. */
const MIN_CPU_WINDOW_MS = 50;

/** Bun has none. */
function startLagMonitor(): IntervalHistogram | undefined {
  try {
    const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    monitor.enable();
    return monitor;
  } catch {
    return undefined;
  }
}

const percent = (share: number): number => Math.round(Math.min(100, Math.max(0, share * 100)) * 10) / 10;

/** Of the container, where it has a limit of its own; else of the machine. */
function memoryShare(): number {
  const limit = constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return 1 - availableMemory() / total;
}

/**
 * Starts to measure: the longest delay of the event loop and the share of one core since the last reading, memory as
 * it is now. What a runtime cannot tell is left out.
 */
export function createVitals(): Vitals {
  const lag = startLagMonitor();
  let lastCpu = process.cpuUsage();
  let lastMs = performance.now();

  function cpuShare(): number | undefined {
    const nowMs = performance.now();
    const elapsedMs = nowMs - lastMs;
    if (elapsedMs < MIN_CPU_WINDOW_MS) return undefined;
    const { user, system } = process.cpuUsage(lastCpu);
    lastCpu = process.cpuUsage();
    lastMs = nowMs;
    return (user + system) / 1000 / elapsedMs;
  }

  function readLag(): number | undefined {
    if (!lag || lag.count === 0) return undefined;
    const lagMs = Math.max(0, lag.max / 1e6 - RESOLUTION_MS);
    lag.reset();
    return Math.round(lagMs * 10) / 10;
  }

  return {
    read() {
      const eventLoopLagMs = readLag();
      const cpu = cpuShare();
      return {
        ...(eventLoopLagMs === undefined ? {} : { eventLoopLagMs }),
        ...(cpu === undefined ? {} : { cpuUsage: percent(cpu) }),
        memoryUsage: percent(memoryShare()),
        memoryBytes: process.memoryUsage.rss(),
      };
    },
    stop: () => void lag?.disable(),
  };
}
