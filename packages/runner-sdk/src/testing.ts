// Adding a name here makes it public API.
export { runCapability } from './testing/run-capability.js';
export { createVirtualClock } from './util/virtual-clock.js';

export type { CapabilityRun, RunCapabilityOptions } from './testing/run-capability.js';
export type { Duration } from './util/duration.js';
export type { VirtualClock } from './util/virtual-clock.js';
