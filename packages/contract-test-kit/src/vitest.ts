// Adding a name here makes it public API.
export { describeConformance } from './conformance/describe-in-vitest.js';
export type { ConformanceOptions } from './conformance/describe-with.js';
