// Adding a name here makes it public API.
export { runCapability } from './testing/run-capability.js';
export { inMemoryHost } from './hosts/in-memory/in-memory-host.js';
export { createVirtualClock } from './util/virtual-clock.js';

export type { CapabilityRun, RecordedArtifact, RunCapabilityOptions } from './testing/run-capability.js';
export type { Faults, FrameFate, FrameInTransit, FrameType } from './hosts/in-memory/faults.js';
export type { FrameRecord } from './hosts/in-memory/faulty-link.js';
export type {
  InMemoryHost,
  InMemoryHostOptions,
  InMemoryJob,
  InMemoryRunner,
  SubmitOptions,
} from './hosts/in-memory/in-memory-host.js';
export type { BroughtFiles } from './util/brought-files.js';
export type { InMemoryArtifact, JobOutcome } from './hosts/in-memory/plane.js';
export type { Duration } from './util/duration.js';
export type { VirtualClock } from './util/virtual-clock.js';
